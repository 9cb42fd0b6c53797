"""One fit: a head trained on the rows of one cell, tested once, written as a Run."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.experiment import Score, score_of
from featkit.hardware.devices import device_name
from featkit.heads import Head, Views, make_head
from featkit.provenance import software_versions
from featkit.runs import Cost, HeldOut, Run, RunKey, RunStore, TestSet

__all__ = ["Arrays", "Task", "run_task"]

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


def run_task(task: Task, arrays: Arrays, folder: Path, *, threads: int) -> Score:
    """Fit, predict, write the Run, and return its score."""
    began, cpu = time.perf_counter(), time.process_time()
    rows, views = task.train_rows, task.views
    head = make_head(
        task.head,
        imbalance=str(task.key.config["imbalance"]),
        seed=task.seed,
        n_jobs=threads,
    )
    head.fit(arrays.train[rows], arrays.label[rows], groups=arrays.group[rows], views=views)
    known = head.predict_proba(arrays.test[task.test_rows, : views.test])
    cost = Cost(
        wall_s=time.perf_counter() - began,
        device_s=time.process_time() - cpu,
        images_seen=len(rows) * views.needed,
        parameters_trained=head.n_parameters_,
        peak_memory_mb=_peak_memory_mb(),
        features_s=task.features_s,
        device=device_name(torch.device("cpu")),
        threads=threads,
    )
    run = Run(
        key=task.key,
        classes=task.classes,
        test=task.test,
        probabilities=_in_classes(known, head, task),
        train_lesions=len(np.unique(arrays.group[rows])),
        train_images=len(rows),
        cost=cost,
        chosen=head.chosen_,
        split=task.split,
        held_out=_held_out(head, task, arrays),
        versions=software_versions(_PACKAGES),
        inputs=task.inputs,
    )
    RunStore(folder).save(run)
    return score_of(run)


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
