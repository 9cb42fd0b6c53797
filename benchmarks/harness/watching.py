"""Telling whoever waits how far a benchmark is."""

from __future__ import annotations

import time
from contextlib import suppress

from rich.console import Console

from benchmarks.harness.measurement import Measurement

__all__ = ["Watcher"]


class Watcher:
    """Writes a line for every measurement, and in a terminal shows what is under way."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._status = console.status("")
        self._began = time.monotonic()
        if console.is_terminal:
            self._status.start()

    def section(self, title: str) -> None:
        """Name the part that follows."""
        self._console.rule(f"{title} · {self._clock()}", align="left")

    def begins(self, what: str) -> None:
        """Show what is under way."""
        self._status.update(f"{what} ...")

    def ended(self, where: str, name: str, measured: Measurement) -> None:
        """Write what was measured."""
        self._console.print(
            f"{self._clock()} {where:12} {name:22} {measured.work:>9,.0f} in "
            f"{measured.seconds:8.2f} s  {measured.rate:10,.2f}/s",
            highlight=False,
        )

    def notes(self, what: str) -> None:
        """Write a line."""
        self._console.print(f"{self._clock()} {what}", highlight=False)

    def close(self) -> None:
        """Show nothing any more."""
        with suppress(Exception):
            self._status.stop()

    def _clock(self) -> str:
        minutes, seconds = divmod(round(time.monotonic() - self._began), 60)
        return f"{minutes}:{seconds:02d}"
