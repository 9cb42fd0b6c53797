"""Fits: heads trained on the rows of their cells, tested once each, written as Runs."""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from featkit.experiment import Score, score_of
from featkit.hardware.devices import device_name, resolve_device, worked_seconds
from featkit.heads import HEADS, Head, TrainingSet, fit_together, make_head
from featkit.models import models_folder
from featkit.provenance import software_versions
from featkit.runs import Cost, HeldOut, Run, RunStore
from featkit.sweep._models import trained_model
from featkit.sweep._task import Arrays, Task

__all__ = ["Fitted", "fitted", "run_tasks"]

_PACKAGES = ("numpy", "scikit-learn", "lightgbm", "torch")


class Fitted(NamedTuple):
    """What one fit leaves behind."""

    run: Run
    head: Head


def run_tasks(
    tasks: Sequence[Task], arrays: Arrays, folder: Path, *, threads: int, device: str = "cpu"
) -> list[Score]:
    """Fit one bundle, predict, write the Runs, and return their scores.

    Models are written before their Runs, which say that all is there.
    """
    scores = []
    for task, (run, head) in zip(
        tasks, fitted(tasks, arrays, threads=threads, device=device), strict=True
    ):
        if arrays.origin is not None:
            model = trained_model(task, arrays.origin, head, run, arrays)
            model.save(models_folder(folder, run.key))
        RunStore(folder).save(run)
        scores.append(score_of(run))
    return scores


def fitted(
    tasks: Sequence[Task], arrays: Arrays, *, threads: int, device: str = "cpu"
) -> list[Fitted]:
    """Fit one bundle, predict, and return the Runs with their heads.

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
    made = []
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
        made.append(Fitted(_run(task, head, arrays, probabilities, cost), head))
    return made


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
        versions=software_versions((*_PACKAGES, *HEADS.distributions(task.head))),
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
