"""Cold start: a whole command, from its start to its end, for few images."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.extraction.job import Job, caches_in
from benchmarks.extraction.rivals import FEATKIT, PLAIN
from benchmarks.harness import (
    Contender,
    Measurement,
    Round,
    Script,
    Table,
    alternate,
    ratios,
    run_command,
    run_script,
)
from benchmarks.harness.spread import Spread

__all__ = ["cold_rounds", "cold_table"]

_FIRST = f"{FEATKIT}, first use"


def cold_rounds(job: Job, numbers: Sequence[int], rounds: int) -> dict[int, list[Round]]:
    """Measure commands by the number of images."""
    return {
        number: alternate(_commands(job, number), rounds, job.settings.watcher)
        for number in numbers
    }


def cold_table(measured: Mapping[str, Mapping[int, Sequence[Round]]]) -> Table:
    """Return the table of all networks."""
    rows = []
    for name, by_number in measured.items():
        for number, rounds in by_number.items():
            seconds = {who: [each[who].seconds for each in rounds] for who in rounds[0]}
            rows.append(
                [
                    name,
                    f"{number:,}",
                    *(Spread.of(seconds[who]).text(1) for who in (_FIRST, FEATKIT, PLAIN)),
                    ratios(seconds[PLAIN], seconds[FEATKIT]).text(),
                ]
            )
    return Table(
        title="Cold start: a whole command, imports and all, in seconds",
        columns=["network", "images", _FIRST, FEATKIT, PLAIN, "times faster"],
        rows=rows,
        notes=[
            "`featkit extract` against the plain script's process; at the first use all caches of "
            "compiled networks are empty. Median of the rounds and their range.",
        ],
    )


def _commands(job: Job, number: int) -> list[Contender]:
    return [
        Contender(_FIRST, lambda n: _featkit(job, n, caches_in(job.output("-cache"))), number),
        Contender(FEATKIT, lambda n: _featkit(job, n, job.environment), number),
        Contender(PLAIN, lambda n: _plain(job, n), number),
    ]


def _featkit(job: Job, number: int, environment: Mapping[str, str]) -> Measurement:
    command = [
        str(Path(sys.executable).with_name("featkit")),
        "extract",
        f"folder:{job.images(number)}",
        "--backbone",
        f"local-dir:{job.weights}",
        "--device",
        job.settings.device,
        "--out",
        str(job.output(".h5")),
    ]
    return run_command(command, number, environment)


def _plain(job: Job, number: int) -> Measurement:
    arguments = {
        "images": str(job.images(number)),
        "weights": str(job.weights),
        "out": str(job.output(".npy")),
        "device": job.settings.device,
    }
    measured = run_script(Script("extract_plain", arguments))
    return replace(measured, seconds=measured.process_seconds)
