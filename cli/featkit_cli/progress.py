"""Progress of long work: a bar in a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from featkit.progress import Progress as Listener

__all__ = ["shown_progress"]

#: Seconds between two plain lines.
LINE_EVERY_S = 10.0


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


class _Rate:
    """Counts what this process did, so that resumed work does not flatter the rate."""

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        self.task, self.total, self.done, self.unit = task, total, done, unit
        self.before, self.began, self.note = done, time.monotonic(), ""

    def add(self, amount: float, note: str) -> None:
        self.done += amount
        self.note = note

    def facts(self) -> str:
        seconds = time.monotonic() - self.began
        fresh = self.done - self.before
        count = f"{self.done:,.0f}/{self.total:,.0f} {self.unit}".rstrip()
        if fresh <= 0 or seconds <= 0:
            return count
        rate = fresh / seconds
        speed = f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s"
        left = _clock((self.total - self.done) / rate)
        return " · ".join(filter(None, [count, speed, f"{left} left", self.note]))


class _Bar(_Rate):
    """A bar in a terminal."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._task: TaskID | None = None

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        super().start(task, total=total, done=done, unit=unit)
        self._task = self._bars.add_task(task, total=total, facts=self.facts())
        self._bars.update(self._task, completed=done)

    def advance(self, amount: float, *, note: str = "") -> None:
        self.add(amount, note)
        if self._task is not None:
            self._bars.update(self._task, completed=self.done, facts=self.facts())

    def finish(self) -> None:
        self._task = None


class _Lines(_Rate):
    """Plain lines for logs and pipes."""

    def __init__(self) -> None:
        self._shown, self._shown_at = 0.0, 0.0

    def start(self, task: str, *, total: float, done: float = 0, unit: str = "") -> None:
        super().start(task, total=total, done=done, unit=unit)
        self._shown, self._shown_at = time.monotonic(), done

    def advance(self, amount: float, *, note: str = "") -> None:
        self.add(amount, note)
        if time.monotonic() - self._shown >= LINE_EVERY_S:
            self._shown, self._shown_at = time.monotonic(), self.done
            print(f"{self.task}: {self.facts()}", file=sys.stderr, flush=True)  # noqa: T201

    def finish(self) -> None:
        if time.monotonic() - self.began >= 2 and self._shown_at < self.done:
            print(f"{self.task}: {self.facts()}", file=sys.stderr, flush=True)  # noqa: T201


@contextmanager
def shown_progress() -> Iterator[Listener]:
    """Give a listener that shows progress on stderr, as fits what stderr is."""
    if not sys.stderr.isatty():
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[facts]}"))
    with Progress(*columns, console=Console(stderr=True)) as bars:
        yield _Bar(bars)
