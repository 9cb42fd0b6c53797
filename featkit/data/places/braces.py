"""Several paths in one, as shells write them: `shard-{000..127}.tar`, `{train,val}.tar`."""

from __future__ import annotations

import re

__all__ = ["expand_braces"]

_GROUP = re.compile(r"\{(?:(\d+)\.\.(\d+)|([^{}]*,[^{}]*))\}")


def expand_braces(pattern: str) -> list[str]:
    """Return the paths that a pattern stands for, in order; itself where it holds no braces.

    >>> expand_braces("{a,b}-{08..10}.tar")[:4]
    ['a-08.tar', 'a-09.tar', 'a-10.tar', 'b-08.tar']
    """
    found = _GROUP.search(pattern)
    if found is None:
        return [pattern]
    before, after = pattern[: found.start()], pattern[found.end() :]
    low, high, words = found.groups()
    middles = words.split(",") if words else [*_numbers(low, high)]
    endings = expand_braces(after)
    return [f"{before}{middle}{ending}" for middle in middles for ending in endings]


def _numbers(low: str, high: str) -> list[str]:
    """Return the numbers from `low` to `high`, as long as the longer is where one has zeros."""
    padded = low.startswith("0") or high.startswith("0")
    width = max(len(low), len(high)) if padded else 0
    step = 1 if int(low) <= int(high) else -1
    return [f"{number:0{width}d}" for number in range(int(low), int(high) + step, step)]
