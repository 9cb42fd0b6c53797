"""Connections that wait, for a request or to be read: not for ever."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["HurriedProtocol"]

_SECONDS = 10.0
"""Until a request's first lines have come; its body has the limit of the app."""

_READING_SECONDS = 60.0
"""Until a client has read what it is sent, or so much of it that more can be sent."""


class HurriedProtocol(H11Protocol):
    """uvicorn's, but a connection is closed whose request does not come, or answer is not read.

    Else anyone could open connections, say nothing, and leave none for others.
    """

    _hurry: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin to wait."""
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Wait no longer once a request is there."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._rest()

    def on_response_complete(self) -> None:
        """Begin to wait for the next one."""
        super().on_response_complete()
        # A request that came meanwhile has begun.
        if self.cycle is None or self.cycle.response_complete:
            self._wait()

    def pause_writing(self) -> None:
        """Begin to wait for the client to read."""
        super().pause_writing()
        self._wait_for_reader()

    def resume_writing(self) -> None:
        """Wait no longer: it reads."""
        super().resume_writing()
        if not self.transport.is_closing():
            self._rest_from_reader()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._rest()
        self._rest_from_reader()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._rest()
        self._hurry = self.loop.call_later(_SECONDS, self._leave)

    def _rest(self) -> None:
        if self._hurry is not None:
            self._hurry.cancel()
            self._hurry = None

    def _leave(self) -> None:
        self.transport.close()  # which sends first what is left
        self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        if self._unread is None:
            self._unread = self.loop.call_later(_READING_SECONDS, self.transport.abort)

    def _rest_from_reader(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
