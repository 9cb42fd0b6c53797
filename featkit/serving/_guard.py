"""The guard: who may ask, and what every answer carries."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from featkit.errors import UsageError
from featkit.serving.refusals import RefusedError

__all__ = ["Guard"]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' blob: data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Turns away who may not ask.

    Args:
        token: What requests must carry; None for nothing.
        hosts: Names that the server may be called by, in small letters; None for any.
        open_paths: What needs no token: the sign of life, and the page itself, which asks for it.

    Raises:
        UsageError: The token is empty, or no header could carry it.
    """

    def __init__(
        self, *, token: str | None, hosts: Collection[str] | None, open_paths: Collection[str]
    ) -> None:
        if token is not None and not (token.isascii() and token.isprintable() and token.split()):
            raise UsageError(
                "the token",
                cause="it is empty, or has characters that no header can carry",
                remedy="Give letters and digits, at best random ones",
            )
        self._token, self._hosts, self._open = token, hosts, frozenset(open_paths)

    def check(self, path: str, headers: Headers) -> None:
        """Check a request's host, where it comes from, and its token.

        Args:
            path: What is asked for.
            headers: The request's.

        Raises:
            RefusedError: It may not ask.
        """
        host = headers.get("host", "")
        if self._hosts is not None and _name(f"//{host}") not in self._hosts:
            raise RefusedError(
                403,
                "other_host",
                "the server is not called by this name",
                "Use its own address, or have its operator allow the name (--allow-host)",
            )
        origin = headers.get("origin")
        if origin is not None and _place(origin) != host.lower():
            raise RefusedError(
                403, "other_origin", "a page from elsewhere may not ask", "Use the server's page"
            )
        if self._token is not None and path not in self._open:
            self._check_token(headers.get("authorization", ""), self._token)

    def seal(self, headers: MutableHeaders) -> None:
        """Add what keeps browsers from doing anything else with an answer."""
        for name, value in _HEADERS.items():
            headers.setdefault(name, value)

    def _check_token(self, given: str, token: str) -> None:
        kind, _, text = given.partition(" ")
        right = secrets.compare_digest(text.strip().encode(), token.strip().encode())
        if kind.lower() != "bearer" or not right:
            raise RefusedError(
                401,
                "no_token",
                "the token is missing or wrong",
                "Send the header `Authorization: Bearer TOKEN`",
            )


def _name(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _place(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return None
