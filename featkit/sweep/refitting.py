"""refit: the head of one Run trained again, and compared with what the Run says it predicted."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from featkit.errors import StoreError
from featkit.experiment import Cell, Design
from featkit.features import FeatureStore
from featkit.heads import Views, find_head
from featkit.models import TrainedModel
from featkit.plans import Plan
from featkit.runs import Run
from featkit.sweep._external import external_of
from featkit.sweep._models import trained_model
from featkit.sweep._origin import origin_of
from featkit.sweep._running import fitted
from featkit.sweep._shares import Share
from featkit.sweep._tables import read_table

__all__ = ["fine_tuned", "refit"]

_TOLERANCE = 1e-3
"""Largest difference of a probability: threads add up in another order."""


def refit(
    run: Run,
    plan: Path | str,
    stores: Sequence[FeatureStore],
    *,
    tests: Sequence[FeatureStore] = (),
    threads: int = 1,
) -> TrainedModel:
    """Return the model of a Run whose head was not kept.

    The head is trained on the same rows with the same options and seed, and has to predict for
    every test image what the Run holds.

    Args:
        run: Of a head on frozen features.
        plan: The `plan.json` beside it.
        stores: The feature files that the Run's `fit` was given, all of them: they decide which
            rows take part.
        tests: The external test files, where the Run was tested on one.
        threads: For training.

    Raises:
        StoreError: The stores are not those of the Run, or training gives another head.
        PlanError: The Plan cannot be read.
        UsageError: Its head is one that another distribution adds, and is not installed.
    """
    saved = Plan.load(plan)
    if not run.frozen:
        raise fine_tuned(run)
    index = _index_of(run, stores)
    dropped = tuple(name for name in stores[0].classes if name not in saved.classes)
    table = read_table(stores, exclude_classes=dropped)
    kind, views = _method(run)
    external = external_of(table, index, tests, views=views.test) if tests else None
    origin = origin_of(stores[index])
    share = Share(
        table=table,
        index=index,
        plan=saved,
        design=Design(seed=_whole(run.key.config.get("seed", 0)), exclude_classes=dropped),
        heads=[kind],
        imbalance=str(run.key.config["imbalance"]),
        views=views,
        external=external,
        origin=origin,
    )
    task = share.task(kind, Cell(run.key.fold, run.key.budget, run.key.draw))
    if task.key.digest != run.key.digest:
        raise _other(run, "the Plan, the options or the test images are others")
    arrays = share.arrays()
    [(again, head)] = fitted([task], arrays, threads=threads)
    gap = float(np.abs(again.probabilities - run.probabilities).max())
    if not gap <= _TOLERANCE:
        raise _other(run, f"training again gave probabilities that differ by {gap:.2g}")
    return trained_model(task, origin, head, run, arrays)


def fine_tuned(run: Run) -> StoreError:
    """Return the error for a Run whose network was trained, and is not there."""
    return StoreError(
        f"{run.name} has no head on features",
        cause="its network was fine-tuned, and only `finetune --save-models` keeps that",
        remedy="Give the same `featkit finetune` command again with --save-models",
    )


def _index_of(run: Run, stores: Sequence[FeatureStore]) -> int:
    for index, store in enumerate(stores):
        if store.fingerprint == run.key.source:
            return index
    raise _other(run, f"none of {', '.join(str(store.path) for store in stores)} is its own")


def _method(run: Run) -> tuple[str, Views]:
    """Return the head's name and the views that it was trained on and averaged over."""
    kind = run.key.method.partition("+")[0]
    find_head(kind)
    config = run.key.config
    return kind, Views(_whole(config.get("views", 1)), _whole(config.get("tta", 1)))


def _whole(value: object) -> int:
    return int(str(value))


def _other(run: Run, cause: str) -> StoreError:
    return StoreError(
        f"cannot make {run.name} again",
        cause=cause,
        remedy="Give the feature files of the command in commands.txt, with the featkit that made "
        "the Run, or fit again with --save-models",
    )
