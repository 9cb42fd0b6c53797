"""Fits: heads trained on the rows of their cells, tested once each, written as Runs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featkit.experiment import Score, score_of
from featkit.hardware.devices import device_name, resolve_device, worked_seconds
from featkit.heads import HEADS, Head, TrainingSet, Views, fit_together, make_head
from featkit.provenance import software_versions
from featkit.runs import Cost, HeldOut, Run, RunKey, RunStore, TestSet

__all__ = ["Arrays", "Task", "bundles", "run_tasks"]

_PACKAGES = ("numpy", "scikit-learn", "lightgbm", "torch")


@dataclass(frozen=True, eq=False)
class Arrays:
    """What the fits of one store share; joblib maps the features into each worker's memory.

    Attributes:
        train: Features of the table's rows, shape (n, V, D), float32.
        label: Shape (n,).
        group: Groups for choices inside the budget, shape (n,).
        test: Features that test rows index, shape (m, V, D), float32.
    """

    train: NDArray[np.float32]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    test: NDArray[np.float32]


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


def run_tasks(
    tasks: Sequence[Task], arrays: Arrays, folder: Path, *, threads: int, device: str = "cpu"
) -> list[Score]:
    """Fit one bundle, predict, write the Runs, and return their scores.

    What the bundle cost is shared among its Runs by the rows that they were trained on.
    """
    heads = [_head(task, threads, device) for task in tasks]
    worked_on = resolve_device(getattr(heads[0], "device", "cpu"))
    began, worked = time.perf_counter(), worked_seconds(worked_on)
    fit_together(heads, _training_sets(tasks, arrays))
    known = [
        head.predict_proba(arrays.test[task.test_rows, : task.views.test])
        for head, task in zip(heads, tasks, strict=True)
    ]
    worked, wall = worked_seconds(worked_on) - worked, time.perf_counter() - began
    rows = sum(len(task.train_rows) for task in tasks)
    scores = []
    for task, head, probabilities in zip(tasks, heads, known, strict=True):
        share = len(task.train_rows) / rows
        cost = Cost(
            wall_s=wall * share,
            device_s=worked * share,
            images_seen=len(task.train_rows) * task.views.needed,
            parameters_trained=head.n_parameters_,
            peak_memory_mb=_peak_memory_mb(),
            features_s=task.features_s,
            device=device_name(worked_on),
            threads=threads,
        )
        run = _run(task, head, arrays, probabilities, cost)
        RunStore(folder).save(run)
        scores.append(score_of(run))
    return scores


def _head(task: Task, threads: int, device: str) -> Head:
    return make_head(
        task.head,
        imbalance=str(task.key.config["imbalance"]),
        seed=task.seed,
        n_jobs=threads,
        device=device,
    )


def _training_sets(tasks: Sequence[Task], arrays: Arrays) -> list[TrainingSet]:
    """Return what each head is fitted on, with one copy of features that several have."""
    copies: dict[bytes, NDArray[np.float32]] = {}
    sets = []
    for task in tasks:
        rows = task.train_rows
        key = rows.tobytes()
        if key not in copies:
            copies[key] = arrays.train[rows]
        sets.append(TrainingSet(copies[key], arrays.label[rows], arrays.group[rows], task.views))
    return sets


def _run(task: Task, head: Head, arrays: Arrays, known: NDArray[np.float64], cost: Cost) -> Run:
    return Run(
        key=task.key,
        classes=task.classes,
        test=task.test,
        probabilities=_in_classes(known, head, task),
        train_lesions=len(np.unique(arrays.group[task.train_rows])),
        train_images=len(task.train_rows),
        cost=cost,
        chosen=head.chosen_,
        split=task.split,
        held_out=_held_out(head, task, arrays),
        versions=software_versions(_PACKAGES),
        inputs=task.inputs,
    )


def _held_out(head: Head, task: Task, arrays: Arrays) -> HeldOut | None:
    """Return what the head predicted inside the budget, in the Run's classes."""
    if head.held_out_ is None or task.experienced:
        return None
    rows, known = head.held_out_
    return HeldOut(arrays.label[task.train_rows[rows]], _in_classes(known, head, task))


def _in_classes(known: NDArray[np.float64], head: Head, task: Task) -> NDArray[np.float32]:
    """Return probabilities in the Run's classes, 0 for those that the training set lacks."""
    probabilities = np.zeros((len(known), len(task.classes)), dtype=np.float32)
    probabilities[:, head.classes_] = known
    return probabilities


def _peak_memory_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
