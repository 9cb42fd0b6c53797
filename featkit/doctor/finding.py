"""Finding: one line of what `featkit doctor` says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

__all__ = ["Check", "Finding", "Verdict", "said"]

Verdict = Literal["good", "warn", "bad"]
"""Works; works, but is slower, scarcer or other than tested; does not work."""


@dataclass(frozen=True)
class Finding:
    """What was found of one thing.

    Attributes:
        name: The thing.
        value: What was found of it.
        verdict: Whether that will do.
        remedy: What to do about it; "" where there is nothing to be done.
    """

    name: str
    value: str
    verdict: Verdict = "good"
    remedy: str = ""


Check = Callable[[Path], Iterator[Finding]]
"""Looks into one matter; it is given the folder that results will go to."""


def said(error: BaseException) -> str:
    """Return an error as part of a line: its kind and the first line of its message."""
    lines = str(error).strip().splitlines()
    kind = type(error).__name__
    return f"{kind}: {lines[0].strip()[:200]}".rstrip(".") if lines else kind
