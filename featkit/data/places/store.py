"""Requests to remote stores through fsspec: bounded retries, and errors of one kind."""

from __future__ import annotations

import errno
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from itertools import count
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

from featkit.data.places._entry import Entry
from featkit.data.places._failures import RemoteError, is_missing, is_transient, phrase
from featkit.errors import DataError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

__all__ = ["CONCURRENT_READS", "entry_of", "fetch", "list_files"]

CONCURRENT_READS = 32
"""Requests in flight that hide a store's latency from a loader: 30 ms each for 1,000 a second."""

_TRIES = 5

_FIRST_PAUSE = 0.5
"""Seconds before the second try, at most; each further pause is twice as long."""

_PATIENCE = 60.0
"""Seconds after which a request that keeps failing is not tried again."""

_TIMEOUT = 30.0
"""Seconds that one try may take."""

_S3 = frozenset({"s3", "s3a"})

_WEB = frozenset({"http", "https"})

_RETRYING = frozenset({"gs", "gcs", "abfs", "abfss", "az", "adl", "hf"})
"""Stores whose packages retry by themselves and cannot be told not to."""

_NO_PATH = re.compile(r"(^|/)\.{1,2}(/|$)|^/|//")
"""Keys that no path leads to, as they have empty parts or dots."""

_Result = TypeVar("_Result")


def fetch(url: str, start: int | None = None, end: int | None = None) -> bytes:
    """Return a remote file's bytes, all or those of a range.

    Args:
        url: The file.
        start: First byte.
        end: The byte after the last; it must not lie beyond the file's end.

    Raises:
        FileNotFoundError: There is no such file.
        RemoteError: It cannot be read, after retries where they may help.
        DataError: A package is missing.
    """
    data: bytes = _request(url, "cat_file", start=start, end=end)
    if start is None or end is None or len(data) == end - start:
        return data
    wrong = "sends whole files only" if len(data) > end - start else "sent too few bytes"
    raise RemoteError(errno.EIO, f"the server {wrong} where a range of bytes was asked for", url)


def entry_of(url: str) -> Entry:
    """Return what the store says of a file, by a request of its own.

    Raises:
        FileNotFoundError: There is no such file.
        RemoteError: The store does not answer, or refuses.
        DataError: A package is missing.
    """
    return Entry.from_info(_request(url, "info"))


def list_files(url: str) -> dict[str, Entry]:
    """Return all files below a folder, by path relative to it; a file has the path "".

    Object stores list recursively, a thousand files a request; web servers folder by folder,
    where they show pages of links at all.

    Raises:
        RemoteError: The store does not answer, or refuses.
        DataError: A package is missing.
    """
    try:
        web = urlsplit(url).scheme in _WEB
        found = _crawl(url) if web else _request(url, "find", detail=True)
    except FileNotFoundError:
        return {}
    root = str(_filesystem(url)._strip_protocol(url)).rstrip("/")
    return {
        path: Entry.from_info(info)
        for name, info in found.items()
        # Objects whose names end in a slash stand for folders.
        if not name.endswith("/") and not _NO_PATH.search(path := name[len(root) + 1 :])
    }


def _crawl(url: str) -> dict[str, Mapping[str, Any]]:
    """Return the files that a web server's pages of links lead to."""
    if "." in urlsplit(url).path.rpartition("/")[2]:  # asking for links would fetch it whole
        info: Mapping[str, Any] = _request(url, "info")
        if info.get("mimetype") != "text/html":
            return {url: info}
    found = _request(url, "find", detail=True, on_error="raise")
    return {unquote(name): info for name, info in found.items()}


def _request(url: str, method: str, **arguments: Any) -> Any:
    """Call a method of the URL's file system, again after transient errors."""
    listing = method == "find"
    filesystem = _filesystem(url, listing=listing)
    path = filesystem._strip_protocol(url)
    scheme = urlsplit(url).scheme

    def call() -> Any:
        if listing:
            filesystem.invalidate_cache()
        if not filesystem.async_impl:
            return getattr(filesystem, method)(path, **arguments)
        from fsspec.asyn import sync

        coroutine = getattr(filesystem, f"_{method}")
        limit = None if listing else _TIMEOUT
        return sync(filesystem.loop, coroutine, path, **arguments, timeout=limit)

    # A listing begun anew for each page that fails would never end: S3's pages are retried below.
    retried_below = scheme in _RETRYING or (listing and scheme in _S3)
    return _persist(call, url, tries=1 if retried_below else _TRIES)


def _persist(call: Callable[[], _Result], url: str, *, tries: int) -> _Result:
    begun = time.monotonic()
    for tried in count(1):
        try:
            return call()
        except Exception as error:  # every store's client raises its own kinds
            if is_missing(error):
                raise FileNotFoundError(errno.ENOENT, "file not found", url) from error
            again = is_transient(error)
            if not again or tried >= tries or time.monotonic() - begun > _PATIENCE:
                often = f" after {tried} tries" if tried > 1 else ""
                reason = f"not readable{often} ({phrase(error)})"
                raise RemoteError(errno.EIO if again else errno.EACCES, reason, url) from error
        # Half of the pause is drawn, lest many that failed together return together.
        time.sleep(_FIRST_PAUSE * 2 ** (tried - 1) * random.uniform(0.5, 1))
    raise AssertionError


def _filesystem(url: str, *, listing: bool = False) -> AbstractFileSystem:
    parts = urlsplit(url)
    return _connected(parts.scheme, parts.netloc, listing, os.getpid())


@cache
def _connected(scheme: str, netloc: str, listing: bool, process: int) -> AbstractFileSystem:
    """Return the file system of a server, one for each process, as connections survive no fork."""
    from fsspec.core import url_to_fs

    options = _s3_options(listing=listing) if scheme in _S3 else {}
    try:
        filesystem, _ = url_to_fs(f"{scheme}://{netloc}", skip_instance_cache=True, **options)
    except ImportError as error:
        raise DataError(
            f"cannot read {scheme}://{netloc}",
            cause=f"a package for such addresses is missing ({error})".rstrip("."),
            remedy="Install featkit[remote], or the package that is named",
        ) from error
    except ValueError as error:
        raise DataError(
            f"cannot read {scheme}://{netloc}",
            cause=str(error).rstrip(".").lower(),
            remedy="Give a path, or an address such as s3://BUCKET/FOLDER",
        ) from error
    if scheme in _S3:
        filesystem.retries = 1
    return filesystem


def _s3_options(*, listing: bool) -> dict[str, Any]:
    from fsspec.config import conf

    config: dict[str, Any] = {"max_pool_connections": 2 * CONCURRENT_READS}
    if not listing:
        config["retries"] = {"total_max_attempts": 1}
    chosen = conf.get("s3", {}).get("config_kwargs", {})
    # One request a file: s3fs would ask for its size first.
    return {"config_kwargs": {**config, **chosen}, "max_concurrency": 1}
