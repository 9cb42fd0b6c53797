"""Where data lie: a local path, or a place in a remote store that readers use like one."""

from __future__ import annotations

from featkit.data.places._entry import Entry
from featkit.data.places._failures import RemoteError
from featkit.data.places.braces import expand_braces
from featkit.data.places.place import Place, as_place, is_url, is_web
from featkit.data.places.remote import RemotePath
from featkit.data.places.store import CONCURRENT_READS, entry_of, fetch

__all__ = [
    "CONCURRENT_READS",
    "Entry",
    "Place",
    "RemoteError",
    "RemotePath",
    "as_place",
    "entry_of",
    "expand_braces",
    "fetch",
    "is_url",
    "is_web",
]
