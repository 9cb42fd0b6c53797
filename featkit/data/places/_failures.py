"""What a store's exception means: worth another try or not, and in how many words."""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from types import MappingProxyType

__all__ = ["RemoteError", "is_missing", "is_transient", "phrase"]

_TRANSIENT_STATUS = frozenset({408, 425, 429})
"""Besides all of 500 and above."""

_BROKEN: Mapping[str, str] = MappingProxyType(
    {
        "TimeoutError": "no answer in time",
        "ClientPayloadError": "the answer was cut short",  # aiohttp
        "IncompleteRead": "the answer was cut short",  # http.client
        "IncompleteReadError": "the answer was cut short",  # botocore
        "ClientConnectionError": "",  # aiohttp
        "ConnectionError": "",  # Python, botocore, requests
        "HTTPClientError": "",  # botocore
        "ProtocolError": "",  # urllib3
        "TransportError": "",  # httpx
    }
)
"""Connections that fail on the way: their classes, by name as the packages are optional, and words
for them ("" = their own)."""


class RemoteError(OSError):
    """A remote file that cannot be read.

    `strerror` says why in a few words; `errno` is EIO where it may be readable later, else EACCES.
    """


def is_missing(error: BaseException) -> bool:
    """Say whether the store has no such file."""
    status = _status(error)
    if status is not None or is_transient(error):
        return status == HTTPStatus.NOT_FOUND
    return isinstance(error, FileNotFoundError | NotADirectoryError)


def is_transient(error: BaseException) -> bool:
    """Say whether the same request may succeed a little later."""
    status = _status(error)
    if status is not None:
        return status in _TRANSIENT_STATUS or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return any(_broken(link) is not None for link in _chain(error))


def phrase(error: BaseException) -> str:
    """Return the failure in a few words, as `503 Slow Down`."""
    status = _status(error)
    if status is not None:
        return f"{status} {_said(error) or _standard(status)}".rstrip()
    broken = next(filter(None, map(_broken, _chain(error))), "")
    if broken:
        return broken
    system = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
    words = " ".join(str(error).split()) or system or type(error).__name__
    return words if len(words) <= 120 else f"{words[:117]}..."


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that an error of any client carries, or one that caused it."""
    for link in _chain(error):
        if _broken(link) is not None:  # caused, it may be, by what only looks like an answer
            return None
        status = _own_status(link)
        if status is not None:
            return status
    return None


def _own_status(error: BaseException) -> int | None:
    for name in ("status", "status_code", "code"):
        value = getattr(error, name, None)
        if isinstance(value, int) and 300 <= value < 600:
            return value
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # botocore
        value = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    else:
        value = getattr(response, "status_code", None)
    return value if isinstance(value, int) else None


def _broken(error: BaseException) -> str | None:
    """Return words for a connection that failed ("" = its own), None for other errors."""
    names = [kind.__name__ for kind in type(error).__mro__]
    return next((_BROKEN[name] for name in names if name in _BROKEN), None)


def _said(error: BaseException) -> str:
    """Return the server's own few words, where the client kept them."""
    for link in _chain(error):
        response = getattr(link, "response", None)
        if isinstance(response, dict):
            code = str(response.get("Error", {}).get("Code", ""))
            spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in code)
            return "" if code.isdecimal() else spaced.strip()
        message = getattr(link, "message", None)
        if isinstance(message, str) and 0 < len(message) <= 60:
            return message
    return ""


def _standard(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__
