"""How archives are reached: one session, a mirror where there is one, patience with each."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import requests
from requests.exceptions import RequestException

from featkit.errors import DataError, UsageError
from featkit.progress import NoProgress, Progress
from featkit.provenance import software_versions

__all__ = ["Patience", "RefusedError", "TransientError", "Web", "no_answer", "refused"]

_TRANSIENT = frozenset({408, 425, 429})
"""Besides all of 500 and above."""

_GIVEN = frozenset({200, 206, 416})
"""Answers to a request for a file, or for a range of it; any other has no file in it."""

_LONGEST_PAUSE_S = 60.0

_UNNOTICED_S = 1.0
"""A shorter wait is not told."""


@dataclass(frozen=True)
class Patience:
    """How long and how often a server is asked.

    Attributes:
        tries: In a row without a single new byte.
        first_pause_s: Before the second try; each further pause is twice as long.
        connect_s: Wait for a connection.
        read_s: Wait for the next bytes.
    """

    tries: int = 6
    first_pause_s: float = 1.0
    connect_s: float = 15.0
    read_s: float = 60.0

    def pause_s(self, failures: int, asked_s: float = 0.0) -> float:
        """Return the wait after so many failures in a row, or as long as the server asks."""
        return min(_LONGEST_PAUSE_S, max(asked_s, self.first_pause_s * 2.0 ** (failures - 1)))


class TransientError(Exception):
    """A failure that another try may mend.

    Args:
        cause: What happened, as a phrase.
        pause_s: How long the server wants to be left alone.
    """

    def __init__(self, cause: str, *, pause_s: float = 0.0) -> None:
        super().__init__(cause)
        self.pause_s = pause_s


class RefusedError(Exception):
    """An answer that will be the same next time; its text is a phrase."""


@dataclass(frozen=True)
class Web:
    """The way to the archives.

    Attributes:
        mirror: Address below which each archive's host is a folder, "" = the archives themselves.
        patience: With each.
        session: Keeps connections.
        progress: Who is told of waits.
    """

    mirror: str = ""
    patience: Patience = field(default_factory=Patience)
    session: requests.Session = field(default_factory=requests.Session)
    progress: Progress = field(default_factory=NoProgress)

    def __post_init__(self) -> None:
        parts = urlsplit(self.mirror)
        if self.mirror and (parts.scheme not in ("http", "https") or not parts.netloc):
            raise UsageError(
                f"mirror {self.mirror!r}",
                cause="it is no address of a web server",
                remedy="Give one such as https://mirror.example.org/data",
            )

    def address(self, url: str) -> str:
        """Return where a file of an archive is to be had."""
        if not self.mirror:
            return url
        host = urlsplit(url)
        own = urlsplit(self.mirror.rstrip("/"))
        path = f"{own.path}/{host.netloc}{host.path}"
        return urlunsplit((own.scheme, own.netloc, path, host.query, ""))

    def pause(self, failures: int, error: TransientError) -> None:
        """Wait before another try; where one would wonder, it is shown for what."""
        seconds = self.patience.pause_s(failures, error.pause_s)
        if seconds < _UNNOTICED_S:
            time.sleep(seconds)
            return
        self.progress.start(f"wait and try again: {error}", total=seconds, unit="s")
        try:
            time.sleep(seconds)
            self.progress.advance(seconds)
        finally:
            self.progress.finish()

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
        """Return a server's answer, its body not yet read.

        Raises:
            TransientError: No connection, no answer in time, or the server is unwell.
            RefusedError: The server does not give the file.
        """
        try:
            answer = self.session.get(
                url,
                headers={**_own_headers(), **(headers or {})},
                stream=True,
                timeout=(self.patience.connect_s, self.patience.read_s),
            )
        except RequestException as error:
            raise TransientError(_phrase(error, url)) from error
        status = answer.status_code
        if status in _GIVEN:
            return answer
        answer.close()
        said = f"{urlsplit(url).netloc} answers {status} {answer.reason or ''}".rstrip()
        if status in _TRANSIENT or status >= 500:
            raise TransientError(said, pause_s=_retry_after(answer.headers.get("Retry-After", "")))
        raise RefusedError(said)

    def json(self, url: str) -> Any:
        """Return the JSON that an archive answers.

        Raises:
            DataError: It does not answer, or something else.
        """
        address = self.address(url)
        for failures in range(1, self.patience.tries + 1):
            try:
                return self._json(address)
            except TransientError as error:
                if failures == self.patience.tries:
                    raise no_answer(address, str(error)) from error
                self.pause(failures, error)
            except RefusedError as error:
                raise refused(address, str(error)) from error
        raise AssertionError

    def _json(self, address: str) -> Any:
        try:
            with self.get(address) as answer:
                return answer.json()
        except RequestException as error:
            raise TransientError(_phrase(error, address)) from error


def no_answer(what: str, cause: str) -> DataError:
    """Return the error of a file or question that could not be had."""
    return DataError(
        f"cannot download {what}",
        cause=cause,
        remedy="Check the network and run the same command again: it continues where it stopped. "
        "With --mirror it takes another server",
    )


def refused(what: str, cause: str) -> DataError:
    """Return the error of a file or question that servers answered, but not with it."""
    return DataError(
        f"cannot download {what}",
        cause=cause,
        remedy="The server was reached and does not give it: it may have moved, be withdrawn or be "
        "closed to programs. Look at the archive's page, or try a newer featkit. With --mirror it "
        "takes another server",
    )


def _own_headers() -> dict[str, str]:
    """Return who asks, and that nothing is to be packed.

    Archives answer 403 to the name that requests gives itself. Packed again on the way, lengths
    and ranges would be those of something else.
    """
    own = software_versions(()).get("featkit", "0")
    return {"User-Agent": f"featkit/{own}", "Accept-Encoding": "identity"}


def _phrase(error: Exception, url: str) -> str:
    """Return what a failed request means, in a few words."""
    server = urlsplit(url).netloc
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ReadTimeout):
        return f"{server} does not answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return f"{server} has no certificate that is trusted"
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return f"{server} answers something that is no JSON"
    if "timed out" in str(error).lower():
        return f"{server} stopped sending"
    return f"no connection to {server}, or it broke"


def _retry_after(text: str) -> float:
    return float(text) if text.isdigit() else 0.0
