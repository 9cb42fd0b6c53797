"""Task: one Run to be made, and the arrays that all Runs of a store are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.heads import HEADS, Views
from featkit.runs import RunKey, TestSet
from featkit.sweep._origin import Origin

__all__ = ["Arrays", "Task", "bundles"]


@dataclass(frozen=True, eq=False)
class Arrays:
    """What the fits of one store share; joblib maps the features into each worker's memory.

    Attributes:
        train: Features of the table's rows, shape (n, V, D), float32.
        image_id: Shape (n,).
        label: Shape (n,).
        group: Groups for choices inside the budget, shape (n,).
        test: Features that test rows index, shape (m, V, D), float32.
        origin: Where they came from, if models are to be kept; else None.
    """

    train: NDArray[np.float32]
    image_id: NDArray[np.str_]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    test: NDArray[np.float32]
    origin: Origin | None = None


@dataclass(frozen=True, eq=False)
class Task:
    """One Run to be made.

    `experienced` tells that the backbone was fine-tuned on some of the images: what is held out
    inside the budget then says nothing, and is not kept.
    """

    key: RunKey
    head: str
    views: Views
    classes: tuple[str, ...]
    train_rows: NDArray[np.intp]
    test_rows: NDArray[np.intp]
    test: TestSet
    seed: int
    features_s: float
    inputs: Mapping[str, object]
    split: str
    experienced: bool = False


def bundles(tasks: Sequence[Task]) -> list[list[Task]]:
    """Return the tasks by what is fitted in one go: draws of one budget that share work."""
    found: dict[tuple[object, ...], list[Task]] = {}
    for number, task in enumerate(tasks):
        shares = HEADS[task.head].shares
        alike = {"nothing": number, "rows": task.train_rows.tobytes(), "steps": None}[shares]
        budget = task.head, task.key.fold, task.key.budget
        found.setdefault((*budget, alike), []).append(task)
    return list(found.values())
