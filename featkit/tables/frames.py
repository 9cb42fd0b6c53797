"""Runs as data frames, with types of their own for every column."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from featkit.errors import DataError
from featkit.evaluate import METRICS
from featkit.runs import Run

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["prediction_table", "run_row", "run_table", "same_classes"]

_TEXT = "string"

_RUN_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("backbone", "method", "split", "test", "device", "config", "chosen"), _TEXT),
    **dict.fromkeys(("backbone_spec", "backbone_sha256", "features", "plan", "versions"), _TEXT),
    **dict.fromkeys(("digest", "run"), _TEXT),
    **dict.fromkeys(("fold", "draw", "train_lesions", "train_images", "test_images"), "int64"),
    **dict.fromkeys(("images_seen", "parameters_trained", "threads"), "int64"),
    **dict.fromkeys(("budget", *METRICS), "float64"),
    **dict.fromkeys(("wall_s", "device_s", "features_s", "peak_memory_mb"), "float64"),
    "frozen": "bool",
}


_PREDICTION_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("run", "backbone", "method", "image_id", "group"), _TEXT),
    **dict.fromkeys(("label", "predicted"), _TEXT),
    **dict.fromkeys(("fold", "draw"), "int16"),
}


def run_row(run: Run) -> dict[str, object]:
    """Return what a Run says of itself, by column: its cell, its scores, its cost, its origin.

    Configuration, choices and versions are JSON texts. Scores are NaN where they are not defined.
    """
    cost = run.cost
    return {
        "backbone": run.key.backbone,
        "method": run.key.method,
        "budget": float(run.key.budget),
        "fold": run.key.fold,
        "draw": run.key.draw,
        "split": run.split,
        "test": run.test.name,
        "train_lesions": run.train_lesions,
        "train_images": run.train_images,
        "test_images": len(run.test.label),
        **{
            name: float(metric(run.test.label, run.probabilities)[0])
            for name, metric in METRICS.items()
        },
        "wall_s": float(cost.wall_s),
        "device_s": float(cost.device_s),
        "features_s": float(cost.features_s),
        "images_seen": cost.images_seen,
        "parameters_trained": cost.parameters_trained,
        "peak_memory_mb": float(cost.peak_memory_mb),
        "device": cost.device,
        "threads": cost.threads,
        "frozen": run.frozen,
        "backbone_spec": run.inputs.get("spec"),
        "backbone_sha256": run.inputs.get("weights_sha256"),
        "config": _json(run.key.config),
        "chosen": _json(run.chosen),
        "features": run.key.source,
        "plan": run.key.plan,
        "versions": _json(run.versions),
        "digest": run.key.digest,
        "run": run.key.file_name,
    }


def _json(value: Mapping[str, object]) -> str:
    return json.dumps(dict(value), ensure_ascii=False)


def run_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a row a Run: what `run_row` says.

    Args:
        runs: At least one, of any Plans and classes.
    """
    import pandas as pd

    return pd.DataFrame([run_row(run) for run in runs]).astype(dict(_RUN_TYPES))


def prediction_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return a row for each test image of each Run, in the order of the test set.

    Columns: `run` (the file's name), `backbone`, `method`, `budget`, `fold`, `draw`, `image_id`,
    `group`, `label` and `predicted` (names of classes), and `p_CLASS`, float32, for each class.

    Args:
        runs: At least one; all of the same classes.

    Raises:
        DataError: Runs have other classes.
    """
    import pandas as pd

    given = list(runs)
    same_classes(given)
    return pd.concat([_predictions(run) for run in given], ignore_index=True)


def same_classes(runs: Sequence[Run]) -> None:
    """Refuse Runs that cannot stand in one table of predictions.

    Raises:
        DataError: One has other classes.
    """
    for run in runs:
        if run.classes != runs[0].classes:
            raise DataError(
                f"{run.key.file_name} has other classes than {runs[0].key.file_name}",
                cause=f"{', '.join(run.classes)} instead of {', '.join(runs[0].classes)}",
                remedy="Write the tables of different data sets one by one",
            )


def _predictions(run: Run) -> pd.DataFrame:
    import pandas as pd

    names = np.array(run.classes)
    probabilities = np.asarray(run.probabilities, dtype=np.float32)
    columns = {
        "run": run.key.file_name,
        "backbone": run.key.backbone,
        "method": run.key.method,
        "budget": float(run.key.budget),
        "fold": run.key.fold,
        "draw": run.key.draw,
        "image_id": run.test.image_id.tolist(),
        "group": run.test.group.tolist(),
        "label": names[run.test.label].tolist(),
        "predicted": names[probabilities.argmax(axis=1)].tolist(),
        **{f"p_{name}": probabilities[:, place] for place, name in enumerate(run.classes)},
    }
    return pd.DataFrame(columns).astype(dict(_PREDICTION_TYPES))
