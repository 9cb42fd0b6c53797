"""results.csv: one row a Run, for spreadsheets and data frames."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from featkit.evaluate import METRICS
from featkit.files import atomic_path
from featkit.runs import Run

__all__ = ["write_results"]


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
    scores = {
        name: f"{float(metric(run.test.label, run.probabilities)[0]):.5f}"
        for name, metric in METRICS.items()
    }
    return {
        "backbone": run.key.backbone,
        "method": run.key.method,
        "budget": run.key.budget,
        "fold": run.key.fold,
        "draw": run.key.draw,
        "split": run.split,
        "test": run.test.name,
        "train_lesions": run.train_lesions,
        "train_images": run.train_images,
        "test_images": len(run.test.label),
        **scores,
        "wall_s": f"{run.cost.wall_s:.3f}",
        "device_s": f"{run.cost.device_s:.3f}",
        "features_s": f"{run.cost.features_s:.3f}",
        "images_seen": run.cost.images_seen,
        "parameters_trained": run.cost.parameters_trained,
        "peak_memory_mb": f"{run.cost.peak_memory_mb:.0f}",
        "imbalance": run.key.config.get("imbalance", ""),
        "chosen": " ".join(
            f"{name}={value}" for name, value in run.chosen.items() if not isinstance(value, list)
        ),
        "features": run.key.source[:12],
        "run": run.key.file_name,
    }
