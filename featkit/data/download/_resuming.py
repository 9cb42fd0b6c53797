"""A downloader for pooch that keeps what came and continues there."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import requests
from urllib3.exceptions import HTTPError

from featkit.data.download._web import RefusedError, TransientError, Web, no_answer
from featkit.files import disk_errors
from featkit.progress import Progress

__all__ = ["ResumingDownloader"]

_CHUNK = 1 << 18

_MB = 1e6


@dataclass
class _State:
    """What is known of the bytes that came, so that no others are put behind them.

    Attributes:
        url: Where they came from.
        etag: What the server called that version of the file ("" = nothing).
        modified: When it says that the file was last changed, in its words ("" = it doesn't).
        s3: The server is Amazon's S3.
        total: Bytes of the whole file as announced; None = not announced.
    """

    url: str = ""
    etag: str = ""
    modified: str = ""
    s3: bool = False
    total: int | None = None

    @property
    def validator(self) -> str:
        """What tells this version of the file from others, byte for byte; "" = nothing does."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


@dataclass
class ResumingDownloader:
    """Fetches one file into a `.part` beside its place, however often the connection breaks.

    An instance is called by pooch with the address and a temporary file, which is where the part
    goes when it is whole. What came before an error or Ctrl-C stays in the part.

    Attributes:
        part: The file that grows; what is known of it lies beside it.
        web: The way to the server.
        size: Bytes as the archive lists them; None = not listed.
        expected: Bytes to show while the true number is unknown.
        progress: Who listens.
        most: Bytes that it may have at most, where `size` is None; None = any number.
        compared: Whether its content is compared with a checksum afterwards.
        md5: What S3's ETag says that the MD5 of the whole file is, "" = nothing.
    """

    part: Path
    web: Web
    size: int | None
    expected: int | None
    progress: Progress
    most: int | None = None
    compared: bool = False
    md5: str = field(default="", init=False)

    def __call__(self, url: str, output_file: Any, pooch: Any) -> None:
        """Fetch the file.

        Args:
            url: Its address.
            output_file: Path that the whole file is to have.
            pooch: Not used.

        Raises:
            DataError: It can't be had.
            StoreError: The disk is full.
            RefusedError: The server does not give it; another might.
        """
        with disk_errors(self.part, kept="what came is kept, and downloading continues there"):
            self._fetch(url)
            self.part.replace(output_file)
        self._notes.unlink(missing_ok=True)

    def forget(self) -> None:
        """Remove what came."""
        self.part.unlink(missing_ok=True)
        self._notes.unlink(missing_ok=True)

    @property
    def _notes(self) -> Path:
        return self.part.with_name(f"{self.part.name}.json")

    def _fetch(self, url: str) -> None:
        failures, furthest = 0, self._length()
        while True:
            try:
                self._attempt(url)
                return
            except TransientError as error:
                # Broken after some bytes is not stuck: only tries that bring nothing are counted,
                # and bytes that came before bring nothing.
                failures = 1 if self._length() > furthest else failures + 1
                furthest = max(furthest, self._length())
                if failures >= self.web.patience.tries:
                    raise no_answer(url, str(error)) from error
                self.web.pause(failures, error)

    def _length(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str) -> None:
        """Ask for what is missing and write it.

        Raises:
            TransientError: It has to be asked for once more.
        """
        state, offset = self._read_state(url), self._length()
        headers = {}
        if offset:
            headers = {"Range": f"bytes={offset}-", "If-Range": state.validator}
        with self.web.get(url, headers) as answer:
            if answer.status_code != 200 and not offset:
                raise RefusedError(f"the server answers {answer.status_code} to no range")
            if answer.status_code == 416:
                self._beyond(answer, state, offset)
            else:
                self._receive(answer, state, offset)
        # Of a public file that was uploaded in one piece, S3's ETag is the MD5.
        plain = re.fullmatch(r'"([0-9a-f]{32})"', state.etag)
        self.md5 = plain.group(1) if plain and state.s3 else ""

    def _read_state(self, url: str) -> _State:
        """Return what is known of the part; one of unknown or other origin is removed.

        So is one of a file that can't be told from another version: the rest might be of that.
        """
        try:
            state = _State(**json.loads(self._notes.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            state = _State()
        if state.url != url or not state.validator:
            self.forget()
            return _State(url)
        return state

    def _beyond(self, answer: requests.Response, state: _State, offset: int) -> None:
        """Take the part for whole if the server means that, else begin anew."""
        said = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
        totals = {each for each in (state.total, self.size) if each is not None}
        if said and int(said.group(1)) == offset and totals <= {offset}:
            return
        self.forget()
        raise TransientError("the server contradicts itself about the file's length")

    def _receive(self, answer: requests.Response, state: _State, offset: int) -> None:
        if answer.headers.get("Content-Encoding", "identity") != "identity":
            raise RefusedError("the server packs what it sends, so that it can't be compared")
        resumed = answer.status_code == 206
        total = _total(answer, offset, resumed=resumed)
        if resumed and not _continues(answer, state, offset, total):
            self.forget()
            raise TransientError("the file changed on the server while it was downloaded")
        self._check_announced(answer, total)
        if not resumed:
            # The server knows no ranges, or the file is another one now.
            offset = 0
            state.etag = answer.headers.get("ETag", "")
            state.modified = answer.headers.get("Last-Modified", "")
            state.s3 = answer.headers.get("Server") == "AmazonS3"
        state.total = total
        self._notes.write_text(json.dumps(asdict(state)), encoding="utf-8")
        self._start_progress(total, offset)
        try:
            with self.part.open("ab" if resumed else "wb") as file:
                _copy(answer, file, self.progress.advance, self._limit)
        except RefusedError:
            self.forget()
            raise
        finally:
            self.progress.finish()
        self._check_length(total)

    @property
    def _limit(self) -> int | None:
        return self.most if self.size is None else self.size

    def _check_announced(self, answer: requests.Response, total: int | None) -> None:
        """Refuse a file that is not the size it should be, or of which no end can be told.

        Raises:
            TransientError: Another answer may be right.
            RefusedError: It can't be the file.
        """
        if self.size is not None and total not in (None, self.size):
            raise TransientError(
                f"the server announces {total:,} bytes, the archive lists {self.size:,}"
            )
        if total is not None and self._limit is not None and total > self._limit:
            raise RefusedError(
                f"the server announces {total:,} bytes, where at most {self._limit:,} are expected"
            )
        # A body in chunks tells its end.
        chunked = answer.headers.get("Transfer-Encoding", "").lower() == "chunked"
        if total is None and self.size is None and not (self.compared or chunked):
            raise RefusedError(
                "the server announces no length and no checksum is published, so that a part of "
                "the file would pass for all of it"
            )

    def _start_progress(self, total: int | None, offset: int) -> None:
        shown = total or self.size or self.expected or 0
        self.progress.start(
            f"download {self.part.stem}",
            total=max(shown, offset) / _MB,
            done=offset / _MB,
            unit="MB",
        )

    def _check_length(self, total: int | None) -> None:
        came, whole = self._length(), self.size if self.size is not None else total
        if whole is None or came == whole:
            return
        if came > whole:
            self.forget()
        raise TransientError(f"{came:,} bytes came where {whole:,} were announced")


def _copy(
    answer: requests.Response,
    file: BinaryIO,
    advance: Callable[[float], None],
    limit: int | None,
) -> None:
    try:
        # Whatever is there, at once: a whole chunk waited for is lost when the connection breaks.
        while chunk := answer.raw.read1(_CHUNK, decode_content=False):
            file.write(chunk)
            advance(len(chunk) / _MB)
            if limit is not None and file.tell() > limit:
                raise RefusedError(f"the server sends more than the {limit:,} bytes expected")
    except HTTPError as error:
        cause = "stopped sending" if "timed out" in str(error) else "broke the connection"
        raise TransientError(f"the server {cause}") from error


def _continues(answer: requests.Response, state: _State, offset: int, total: int | None) -> bool:
    """Say whether a range is of the file whose beginning is there, and follows it."""
    if _start(answer) != offset or state.total not in (None, total):
        return False
    if state.etag:
        return answer.headers.get("ETag", "") == state.etag
    return answer.headers.get("Last-Modified", state.modified) == state.modified


def _start(answer: requests.Response) -> int:
    said = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(said.group(1)) if said else -1


def _total(answer: requests.Response, offset: int, *, resumed: bool) -> int | None:
    """Return the length of the whole file as announced."""
    if resumed:
        said = re.search(r"/(\d+)$", answer.headers.get("Content-Range", ""))
        if said:
            return int(said.group(1))
    length = answer.headers.get("Content-Length", "")
    return int(length) + (offset if resumed else 0) if length.isdigit() else None
