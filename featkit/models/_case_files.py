"""Cases as files: who they are as CSV, their features as safetensors."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from featkit.models._files import damaged, read
from featkit.models.cases import Cases
from featkit.models.facts import ModelFacts

__all__ = ["read_cases", "write_cases"]

_TABLE, _ARRAYS = "cases.csv", "cases.safetensors"
_COLUMNS = ["image_id", "group", "diagnosis"]


def write_cases(folder: Path, cases: Cases, classes: Sequence[str]) -> None:
    """Write the cases into a model's folder."""
    with (folder / _TABLE).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for image_id, group, label in zip(cases.image_id, cases.group, cases.label, strict=True):
            writer.writerow([image_id, group, classes[label]])
    arrays = {"features": np.ascontiguousarray(cases.features), "distances": cases.distances}
    safetensors.numpy.save_file(arrays, folder / _ARRAYS)


def read_cases(folder: Path, facts: ModelFacts) -> Cases:
    """Return the cases of a model.

    Raises:
        ModelError: They are not as many features as names, or of other classes.
    """
    if facts.unlike is None:
        raise damaged(folder, "it has training cases, of which model.json does not know")
    try:
        found = safetensors.numpy.load(read(folder, _ARRAYS))
        features, distances = found["features"], found["distances"]
        table = list(csv.reader(io.StringIO(read(folder, _TABLE).decode("utf-8"), newline="")))
        if table[:1] != [_COLUMNS] or any(len(row) != len(_COLUMNS) for row in table):
            raise ValueError(f"{_TABLE} has not the columns {', '.join(_COLUMNS)}")
        image_id, group, names = (np.array(column) for column in zip(*table[1:], strict=True))
        number = {name: place for place, name in enumerate(facts.classes)}
        label = np.array([number[name] for name in names], np.int16)
    except (SafetensorError, ValueError, KeyError, csv.Error) as error:
        raise damaged(folder, f"its training cases cannot be read ({error})") from error
    if features.shape != (len(image_id), facts.backbone.dimension) or features.dtype.kind != "f":
        raise damaged(folder, "its training cases have other features than its network")
    if distances.ndim != 1 or not len(distances) or distances.dtype.kind != "f":
        raise damaged(folder, "the distances of its training cases are missing")
    if not (np.isfinite(features).all() and np.isfinite(distances).all()):
        raise damaged(folder, "its training cases do not hold finite numbers")
    if (distances < -1e-3).any():
        raise damaged(folder, "the distances of its training cases are below 0")
    if not 1 <= facts.unlike.neighbours <= len(image_id):
        raise damaged(folder, "it has fewer training cases than neighbours")
    return Cases(
        features=features,
        image_id=image_id,
        group=group,
        label=label,
        neighbours=facts.unlike.neighbours,
        distances=np.sort(distances.astype(np.float32)),
    )
