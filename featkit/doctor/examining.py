"""Examine: run every check, whatever is broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from featkit.doctor._apart import look_apart
from featkit.doctor._checks import CHECKS, run_check
from featkit.doctor.finding import Finding
from featkit.progress import NoProgress, Progress

__all__ = ["examine"]


def examine(
    out: Path | str = "artifacts", *, apart: bool = True, progress: Progress | None = None
) -> list[Finding]:
    """Look at this computer and its software, as far as featkit depends on them.

    Nothing is changed and nothing is fetched; files that are written to try are removed. A check
    that fails is a bad finding itself, never an error.

    Args:
        out: The folder that results will go to; need not exist yet.
        apart: Look in a process of its own, which a library broken below Python may take down.
        progress: Told of every check.

    Returns:
        At least one finding for each check, those of one check together.
    """
    listener = progress or NoProgress()
    listener.start("looking", total=len(CHECKS), unit="checks")
    found = []
    for name, finding in look_apart(tuple(CHECKS), Path(out)) if apart else _here(Path(out)):
        if finding is None:
            listener.advance(1, note=name)
        else:
            found.append(finding)
    listener.finish()
    return found


def _here(out: Path) -> Iterator[tuple[str, Finding | None]]:
    for name in CHECKS:
        yield name, None
        for finding in run_check(name, out):
            yield name, finding
