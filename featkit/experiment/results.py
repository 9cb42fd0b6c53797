"""results.csv: one row a Run, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from featkit.evaluate import METRICS
from featkit.files import atomic_path
from featkit.runs import Run
from featkit.tables import run_row

__all__ = ["write_results"]


_DIGITS = {"wall_s": 3, "device_s": 3, "features_s": 3, "peak_memory_mb": 0}

_LEFT_OUT = frozenset(
    {"device", "threads", "frozen", "backbone_spec", "backbone_sha256", "config", "chosen"}
    | {"features", "plan", "versions", "digest", "run"}
)
"""What a spreadsheet would be too wide with; `featkit tables` writes all."""


def write_results(runs: Iterable[Run], path: Path) -> None:
    """Write the scores and costs of Runs.

    Raises:
        StoreError: A Run cannot be read, or `path` cannot be written.
    """
    rows = [_row(run) for run in runs]
    with (
        atomic_path(path) as temporary,
        temporary.open("w", newline="", encoding="utf-8") as handle,
    ):
        writer = csv.DictWriter(handle, fieldnames=list(rows[0]) if rows else ["method"])
        writer.writeheader()
        writer.writerows(rows)


def _row(run: Run) -> dict[str, object]:
    facts = run_row(run)
    shown = {name: _text(name, value) for name, value in facts.items() if name not in _LEFT_OUT}
    return {
        **shown,
        "imbalance": run.key.config.get("imbalance", ""),
        "chosen": " ".join(
            f"{name}={value}" for name, value in run.chosen.items() if not isinstance(value, list)
        ),
        "features": run.key.source[:12],
        "run": run.key.file_name,
    }


def _text(name: str, value: object) -> object:
    digits = 5 if name in METRICS else _DIGITS.get(name)
    return value if digits is None else f"{value:.{digits}f}"
