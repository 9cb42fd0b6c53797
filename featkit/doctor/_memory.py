"""Memory: the machine's, what the container allows, and how many files may be open."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from pathlib import Path

from featkit.doctor.finding import Finding
from featkit.hardware.limits import memory_left, memory_limit

__all__ = ["memory"]

_GIB = 1 << 30

_SCARCE, _TOO_LITTLE = 4 * _GIB, 1 * _GIB
"""A batch of a large network on a CPU takes two or three GiB; importing torch nearly half a one."""

_FILES = 1024


def memory(out: Path) -> Iterator[Finding]:
    """Look at what is free, and at the limits that may end a process before it is used up."""
    total, free = _machine()
    limit, left = memory_limit(), memory_left()
    value = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if limit is not None and left is not None and limit < total:
        free = min(free, left)
        value += f"; the container has {limit / _GIB:.1f} GiB, {left / _GIB:.1f} of them free"
    space, _ = resource.getrlimit(resource.RLIMIT_AS)
    if space != resource.RLIM_INFINITY:
        free = min(free, space)
        value += f"; `ulimit -v` allows {space / _GIB:.1f} GiB of addresses"
    if free < _TOO_LITTLE:
        yield Finding("memory", value, "bad", "End other programs, or raise the limit")
    elif free < _SCARCE:
        remedy = "Give a smaller --batch-size and --workers, or end other programs"
        yield Finding("memory", value, "warn", remedy)
    else:
        yield Finding("memory", value)
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files < _FILES:
        wanted = min(most, 4 * _FILES) if most > 0 else 4 * _FILES
        remedy = f"Run `ulimit -n {wanted}` before"
        if wanted < _FILES:
            remedy = "Have the hard limit raised (`ulimit -Hn`, limits.conf), or give fewer --jobs"
        yield Finding("open files", f"{files} at most", "warn", remedy)


def _machine() -> tuple[int, int]:
    """Return the machine's memory and what is free of it, in bytes."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        facts = {line.partition(":")[0]: int(line.split()[1]) * 1024 for line in lines}
        return facts["MemTotal"], facts["MemAvailable"]
    except (OSError, KeyError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return total, total
