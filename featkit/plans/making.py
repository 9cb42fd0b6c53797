"""Making a Plan from a table of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from featkit.plans import _demands
from featkit.plans._folds import deal_folds
from featkit.plans._official import official_sides
from featkit.plans._units import find_units
from featkit.plans.groups import linked_rows, merge_groups
from featkit.plans.plan import Plan, Split

__all__ = ["make_plan"]


def make_plan(
    *,
    image_id: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    classes: Sequence[str],
    pixel_hash: ArrayLike | None = None,
    duplicates: Sequence[tuple[str, str]] = (),
    official: ArrayLike | None = None,
    split: Split = "grouped",
    folds: int = 5,
    seed: int = 0,
) -> Plan:
    """Make the design of an experiment.

    It depends on ids, labels and groups alone, not on the order of rows nor on the version of any
    library. In an official split the rows named `test` (where there is none: `val`) are tested
    and all others are the training pool, since a budget includes validation. Training images of
    a lesion that is tested as well are dropped and counted in `Plan.dropped`.

    Args:
        image_id: Distinct ids, shape (N,).
        label: Index into `classes`, -1 = takes no part, shape (N,).
        group: Lesion of each image, shape (N,).
        classes: The classes' names.
        pixel_hash: Hash of each image's pixels, "" = unknown, shape (N,): lesions that share an
            image become one.
        duplicates: Pairs of image ids that show one lesion: their lesions become one. A pair of
            which the table lacks an image says nothing about it.
        official: `train`, `val` or `test`, shape (N,); used for the official split only.
        split: `grouped`, `random` (deals images, hence leaks) or `official`.
        folds: Number of test folds, at least 2; an official split has one, whatever is given.
        seed: Seed of folds and draws.

    Returns:
        The Plan, its promises checked.

    Raises:
        PlanError: The data cannot support the design.
        UsageError: An option cannot be meant.
    """
    _demands.check_options(split, folds, classes)
    ids, groups = np.asarray(image_id, dtype=np.str_), np.asarray(group, dtype=np.str_)
    hashes = np.full(ids.shape, "") if pixel_hash is None else np.asarray(pixel_hash, dtype=np.str_)
    labels = np.asarray(label)
    _demands.check_table(ids, labels, groups, hashes, classes)
    groups, labels = (
        merge_groups(groups, hashes, linked_rows(ids, duplicates)),
        labels.astype(np.int16),
    )
    seed, folds, dropped = int(seed), int(folds), 0
    if split == "official":
        tested, leaked = official_sides(official, labels, groups)
        dropped, labels = int(leaked.sum()), np.where(leaked, np.int16(-1), labels)
        units = find_units(groups, labels, len(classes))
        training = np.flatnonzero((labels >= 0) & ~tested)
        _demands.check_training(units.count_by_class(training), classes)
        fold_of, folds = np.where(tested, np.int16(0), np.int16(-1)), 1
    else:
        units = find_units(ids if split == "random" else groups, labels, len(classes))
        word = "images" if split == "random" else "lesions"
        _demands.check_folds(units.by_class, classes, folds, word)
        # One more entry, so that a row without a unit (-1) finds "never tested".
        fold_of = np.append(deal_folds(units, folds, seed), np.int16(-1))[units.of_row]
    plan = Plan(
        image_id=ids,
        label=labels,
        group=groups,
        classes=tuple(classes),
        split=split,
        seed=seed,
        folds=folds,
        fold_of=fold_of,
        dropped=dropped,
    )
    plan.check()
    return plan
