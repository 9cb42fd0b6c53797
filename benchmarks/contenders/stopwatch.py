"""The stopwatch that all contenders share; standard library only, for any interpreter."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

__all__ = ["BEGAN", "MARK", "Stopwatch", "arguments", "cores"]

BEGAN = "BENCHMARK_BEGAN"
"""The variable by which the harness tells a script when its process was started."""

MARK = "MEASURED "
"""Begins the line by which a script tells the harness what it measured."""


def arguments() -> dict[str, Any]:
    """Return what the harness wants of this script."""
    wanted: dict[str, Any] = json.loads(sys.argv[1])
    return wanted


def cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Stopwatch:
    """Times the work of a script: everything between its making and `stop()`.

    Make one when all is imported and loaded; what came before is the set-up.
    """

    def __init__(self) -> None:
        self._setup = time.time() - float(os.environ[BEGAN])
        self._core_start = _worked()
        self._start = time.perf_counter()

    def stop(self, work: float, **facts: object) -> None:
        """End the measured work, and tell the harness.

        Args:
            work: How much was done.
            facts: What else the harness should know, JSON-like.
        """
        told = {
            "work": work,
            "seconds": time.perf_counter() - self._start,
            "core_seconds": _worked() - self._core_start,
            "setup_seconds": self._setup,
            "facts": facts,
        }
        sys.stdout.write(f"\n{MARK}{json.dumps(told)}\n")
        sys.stdout.flush()


def _worked() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    return sum(os.times()[:4])
