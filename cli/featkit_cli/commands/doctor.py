"""`featkit doctor`: what this computer can do for featkit, and what to mend."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from featkit.naming import counted
from featkit_cli import console
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

__all__ = ["doctor"]

_STYLES = {"good": "green", "warn": "yellow", "bad": "bold red"}


def doctor(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="The folder that results will go to.")
    ] = Path("artifacts"),
    as_json: Json = False,
) -> None:
    """Look at Python, libraries, devices, cores, memory, disks, caches and decoders.

    Every line is good, warn or bad, with what to do about it. Exits with 1 where one is bad.
    """
    from dataclasses import asdict

    from featkit.doctor import examine

    with shown_progress() as shown:
        found = examine(out, progress=shown)
    counts = Counter(finding.verdict for finding in found)
    if as_json:
        console.print_json([asdict(finding) for finding in found])
    else:
        rows = [
            {
                "": finding.verdict,
                "what": finding.name,
                "found": finding.value,
                "remedy": finding.remedy,
            }
            for finding in found
        ]
        console.show_table(rows, left=list(rows[0]), styles=_STYLES)
        console.say(
            f"{counts['good']} good, {counted(counts['warn'], 'warning')}, {counts['bad']} bad"
        )
    if counts["bad"]:
        raise typer.Exit(1)
