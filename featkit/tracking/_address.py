"""Addresses of tracking stores, and how to speak of them without their passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

__all__ = ["WEB", "shown", "unspoken"]

WEB = ("http", "https")

_MASK = "***"

_PASSWORD = re.compile(r"(?<=://)([^:/?#@]*:)([^?#]*|[^@]*)@")
"""What stands before a host; databases take passwords with unquoted slashes."""

_WEB_PASSWORD = re.compile(r"(?<=://)([^:/?#@]*:)([^/?#]*)@")

_QUERY = re.compile(
    r"([?&](?:password|passwd|pwd|sslpassword|token|access_token|secret|odbc_connect)=)([^&#]*)",
    re.IGNORECASE,
)

_SHORT = 3
"""Secrets below so many characters would be found in every sentence."""


def shown(uri: str) -> str:
    """Return an address without the passwords and tokens that stand in it."""
    return _QUERY.sub(rf"\1{_MASK}", _before_host(uri).sub(rf"\1{_MASK}@", uri))


def unspoken(text: str, uri: str) -> str:
    """Return a text that may speak of an address, without the address's passwords and tokens."""
    text = text.replace(uri, shown(uri))
    for secret in sorted(set(_secrets(uri)), key=len, reverse=True):
        if len(secret) >= _SHORT:
            text = text.replace(secret, _MASK)
    return text


def _secrets(uri: str) -> Iterator[str]:
    """Yield what `shown` hides, as it stands there and as it is meant."""
    for pattern in (_before_host(uri), _QUERY):
        for found in pattern.finditer(uri):
            yield from (found[2], unquote(found[2]), unquote_plus(found[2]))


def _before_host(uri: str) -> re.Pattern[str]:
    return _WEB_PASSWORD if uri.partition(":")[0].lower() in WEB else _PASSWORD
