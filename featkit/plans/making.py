"""Making a Plan from a table of images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from featkit.plans import _demands
from featkit.plans._folds import deal_folds
from featkit.plans._official import official_sides
from featkit.plans._units import find_units
from featkit.plans.groups import merge_groups
from featkit.plans.leakage import IMAGE_SPLITS
from featkit.plans.plan import Plan, Split

__all__ = ["make_plan"]

_WORDS = {
    "grouped": "lesions",
    **dict.fromkeys(IMAGE_SPLITS, "images"),
    "single-image-test": "lesions with a single image",
}
"""What a split deals out."""


def make_plan(
    *,
    image_id: ArrayLike,
    label: ArrayLike,
    group: ArrayLike,
    classes: Sequence[str],
    image_hash: ArrayLike | None = None,
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
        image_hash: By which each image is known again, "" = unknown, shape (N,): lesions that share
            an image become one.
        duplicates: Pairs of ids of images that show one lesion (see `featkit.duplicates`): their
            lesions become one. Ids that the table lacks, as a limited data set may, are no error.
        official: `train`, `val` or `test`, shape (N,); used for the official split only.
        split: `grouped`, `random` (deals images, hence leaks), `official`, or `single-image-test`
            (tests lesions of one image only; all others are for training); `random-clean` and
            `random-leaky` are `random` with training sets of equal size, without and with images
            of tested lesions.
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
    hashes = np.full(ids.shape, "") if image_hash is None else np.asarray(image_hash, dtype=np.str_)
    labels = np.asarray(label)
    _demands.check_table(ids, labels, groups, hashes, classes)
    groups = merge_groups(groups, hashes, image_id=ids, duplicates=duplicates)
    labels = labels.astype(np.int16)
    seed, folds, dropped = int(seed), int(folds), 0
    if split == "official":
        tested, leaked = official_sides(official, labels, groups)
        dropped, labels = int(leaked.sum()), np.where(leaked, np.int16(-1), labels)
        units = find_units(groups, labels, len(classes))
        training = np.flatnonzero((labels >= 0) & ~tested)
        _demands.check_training(units.count_by_class(training), classes)
        fold_of, folds = np.where(tested, np.int16(0), np.int16(-1)), 1
    else:
        units = find_units(ids if split in IMAGE_SPLITS else groups, labels, len(classes))
        dealt = np.flatnonzero(units.size == 1 if split == "single-image-test" else units.size)
        _demands.check_folds(units.select(dealt).by_class, classes, folds, _WORDS[split])
        # One more entry, so that a row without a unit (-1) finds "never tested".
        fold = np.full(len(units.name) + 1, -1, dtype=np.int16)
        fold[dealt] = deal_folds(units.select(dealt), folds, seed)
        fold_of = fold[units.of_row]
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
