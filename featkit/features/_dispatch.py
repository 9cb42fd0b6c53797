"""Dispatch: stretches of an extraction handed to the workers of a cluster until all are done."""

from __future__ import annotations

import importlib
from collections import Counter, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from featkit.errors import StoreError
from featkit.features._worker import Joined, Made

__all__ = ["Dispatch", "Unit", "choice_of"]

_T = TypeVar("_T")

_TRIES = 4
"""A stretch that so many workers were lost on is not tried again, nor a worker lost so often."""


@dataclass(eq=False)
class Unit:
    """A stretch of parts, in the hands of one worker at a time.

    Attributes:
        parts: Their numbers.
        told: The parts that a worker has told of.
        lost: How many workers were lost on it.
    """

    parts: range
    told: set[int] = field(default_factory=set)
    lost: int = 0


class Dispatch:
    """Hands units to workers. Ray places workers and restarts them; a lost one's unit goes on.

    A worker comes when Ray has placed it, joins, and takes part from then. So one that Ray cannot
    place again, as when its machine is gone, holds nothing up.

    Args:
        workers: Handles of the actors.
        join: Calls a worker that it make ready; returns the future.
        make: Calls a worker that it make a unit; returns the generator of futures.
        made: Told of each part once.
    """

    def __init__(
        self,
        workers: Sequence[Any],
        *,
        join: Callable[[Any], Any],
        make: Callable[[Any, Unit], Any],
        made: Callable[[Made], None],
    ) -> None:
        self._ray = importlib.import_module("ray")
        self._join, self._make, self._made = join, make, made
        self._coming = {_coming(worker): worker for worker in workers}
        self._joining: dict[Any, Any] = {}
        self._working: dict[Any, tuple[Any, Unit]] = {}
        self._idle: list[Any] = []
        self._lost: Counter[Any] = Counter()
        self.joined: dict[Any, Joined] = {}

    def work(self, units: Sequence[Unit]) -> None:
        """Have the units done.

        Raises:
            FeatkitError: What a worker raised.
            StoreError: Workers are lost again and again.
        """
        queue = deque(units)
        while queue or self._working:
            while queue and self._idle:
                worker, unit = self._idle.pop(), queue.popleft()
                self._working[self._make(worker, unit)] = worker, unit
            waited_for = [*self._coming, *self._joining, *self._working]
            [ready], _ = self._ray.wait(waited_for, num_returns=1)
            if ready in self._coming:
                self._came(ready)
            elif ready in self._joining:
                self._may_have_joined(ready)
            else:
                unfinished = self._next(ready)
                if unfinished is not None:
                    queue.appendleft(unfinished)

    def _came(self, future: Any) -> None:
        worker = self._coming.pop(future)
        try:
            self._ray.get(future)
        except self._ray.exceptions.RayError as error:
            raise _cannot_start(error) from error
        self._joining[self._join(worker)] = worker

    def _may_have_joined(self, future: Any) -> None:
        worker = self._joining.pop(future)
        try:
            self.joined[worker] = _own_errors(lambda: self._ray.get(future))
        except self._ray.exceptions.RayError as error:
            self._lost[worker] += 1
            if self._lost[worker] >= _TRIES:
                raise _cannot_get_ready(error) from error
            self._coming[_coming(worker)] = worker
        else:
            self._lost.pop(worker, None)
            self._idle.append(worker)

    def _next(self, generator: Any) -> Unit | None:
        """Take what a worker tells; return its unit where the worker was lost."""
        worker, unit = self._working[generator]
        try:
            with suppress(StopIteration):
                made: Made = _own_errors(lambda: self._ray.get(next(generator)))
                if made.part not in unit.told:
                    unit.told.add(made.part)
                    self._made(made)
                return None
        except self._ray.exceptions.RayError as error:
            del self._working[generator]
            unit.lost += 1
            if unit.lost >= _TRIES:
                raise _lost(unit, error) from error
            self._coming[_coming(worker)] = worker
            return unit
        del self._working[generator]
        self._idle.append(worker)
        return None


def _coming(worker: Any) -> Any:
    """Return the future of a worker's being there, however often Ray must begin it anew.

    No other call is tried again by Ray: it counts a try for every two seconds in which a worker
    is being restarted, however long that takes.
    """
    return worker.here.options(max_task_retries=-1).remote()


def choice_of(workers: Sequence[Any], choose: Callable[[Any], Any]) -> Any:
    """Return what the first worker to come chooses; where it is lost, the next one does.

    Args:
        workers: Handles of the actors.
        choose: Calls a worker that it choose; returns the future.

    Raises:
        FeatkitError: What the worker raised.
        StoreError: Workers are lost again and again.
    """
    ray = importlib.import_module("ray")
    lost = 0
    while True:
        there = {_coming(worker): worker for worker in workers}
        [first], _ = ray.wait([*there], num_returns=1)
        try:
            ray.get(first)
        except ray.exceptions.RayError as error:
            raise _cannot_start(error) from error
        try:
            return _own_errors(partial(ray.get, choose(there[first])))
        except ray.exceptions.RayError as error:
            lost += 1
            if lost >= _TRIES:
                raise _cannot_get_ready(error) from error


def _own_errors(call: Callable[[], _T]) -> _T:
    """Return what a call returns; what was raised inside a worker is raised as it was there."""
    exceptions = importlib.import_module("ray").exceptions
    try:
        return call()
    except exceptions.RayTaskError as error:
        raise error.cause from error


def _cannot_start(error: Exception) -> StoreError:
    return StoreError(
        "a worker of the cluster cannot start",
        cause=_last_line(error),
        remedy="Install the same featkit on all machines of the cluster",
    )


def _cannot_get_ready(error: Exception) -> StoreError:
    return StoreError(
        f"workers of the cluster were lost {_TRIES} times while they made ready",
        cause=f"most likely memory ran out ({_last_line(error)})",
        remedy="Give a smaller --batch-size, or workers with more memory",
    )


def _lost(unit: Unit, error: Exception) -> StoreError:
    return StoreError(
        f"{unit.lost} workers were lost on the same images",
        cause=f"most likely memory ran out, or an image crashes its decoder ({_last_line(error)})",
        remedy="Give a smaller --batch-size or fewer --workers; finished parts are kept",
    )


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[-1].rstrip(".")[:300] if lines else type(error).__name__
