"""What a container or a batch system allows this process: CPU time and memory (Linux cgroups)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

__all__ = ["cpu_quota", "memory_left", "memory_limit"]

_GROUPS, _MEMBERSHIP = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")

_NO_LIMIT = 1 << 60
"""Version 1 writes about 2**63 where there is none."""


def cpu_quota(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> float | None:
    """Return how many CPUs' time this process may take, or None where that is not limited.

    Libraries start a thread for each CPU that they see, and do not see this.

    Args:
        groups: Where the control groups are mounted.
        membership: The file that says in which ones this process is.
    """
    found = []
    for folder in _folders(groups, membership, "cpu"):
        with_period = _words(folder / "cpu.max")
        quota = with_period or _words(folder / "cpu.cfs_quota_us")
        period = with_period[1:] or _words(folder / "cpu.cfs_period_us")
        if quota and period and quota[0].isdecimal() and int(period[0]):
            found.append(int(quota[0]) / int(period[0]))
    return min(found, default=None)


def memory_limit(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> int | None:
    """Return how many bytes of memory this process's groups may hold, or None if any number."""
    return min((limit for limit, _ in _memory(groups, membership)), default=None)


def memory_left(groups: Path = _GROUPS, membership: Path = _MEMBERSHIP) -> int | None:
    """Return how many bytes are left below the limit, or None where there is none."""
    return min((max(limit - held, 0) for limit, held in _memory(groups, membership)), default=None)


def _memory(groups: Path, membership: Path) -> Iterator[tuple[int, int]]:
    """Yield each limit that holds for this process, and what is used of it."""
    for folder in _folders(groups, membership, "memory"):
        for limit, held in (
            ("memory.max", "memory.current"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes"),
        ):
            words, used = _words(folder / limit), _words(folder / held)
            if words and words[0].isdecimal() and int(words[0]) < _NO_LIMIT:
                # Files that were read and can be forgotten count as used.
                kept = int(used[0]) - _forgettable(folder) if used else 0
                yield int(words[0]), max(kept, 0)


def _forgettable(folder: Path) -> int:
    words = _words(folder / "memory.stat")
    facts = dict(zip(words[::2], words[1::2], strict=False))
    return int(facts.get("inactive_file", 0))


def _folders(groups: Path, membership: Path, controller: str) -> Iterator[Path]:
    """Yield the folders of the process's group and of those around it."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        root = groups / controller if controllers else groups
        inner = root / path.lstrip("/")
        yield from (each for each in (inner, *inner.parents) if each.is_relative_to(root))


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").split()
    except OSError:
        return []
