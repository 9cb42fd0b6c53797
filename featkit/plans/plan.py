"""Plan: the design that all methods share, with its identity and the rows of every training set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from featkit.errors import UsageError
from featkit.fingerprints import fingerprint, stable_order
from featkit.plans import _checks, storage
from featkit.plans._units import Units, find_units
from featkit.plans.budgets import budget_size, check_budgets
from featkit.plans.leakage import IMAGE_SPLITS, clean_order, leaky_order, sibling_units

__all__ = ["Plan", "Split", "TrainingSet"]

Split = Literal[
    "grouped", "random", "random-clean", "random-leaky", "official", "single-image-test"
]

_PROTOCOL = 1
"""Raise it when the same plan would give other training sets than before."""


@dataclass(frozen=True)
class TrainingSet:
    """What a method sees at one (fold, budget, draw).

    Attributes:
        fold: Test fold.
        budget: Percentage of the training lesions.
        draw: Number of the draw.
        n_lesions: Lesions (images in a random split).
        n_images: Images.
        images_by_class: Images of each class.
    """

    fold: int
    budget: float
    draw: int
    n_lesions: int
    n_images: int
    images_by_class: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """Who may be trained on and tested on what. Made by `make_plan`, or loaded.

    Rows are those of the table that the Plan was made from. Training and test rows come in
    alphabetical order of their ids: Plans of one fingerprint name the same images in the same
    order, however their tables are sorted.

    Attributes:
        image_id: Distinct ids, shape (N,).
        label: Index into `classes`, -1 = takes no part, shape (N,).
        group: Lesion of each image, merged where duplicates show that two are one, shape (N,).
        classes: The classes' names.
        split: `grouped` deals lesions, `random` deals images, `official` is the data set's own,
            `single-image-test` deals lesions of one image and trains on all others,
            `random-clean` and `random-leaky` are `random` with training sets of equal size, without
            and with images of tested lesions (to measure what the leak is worth).
        seed: Seed of folds and draws.
        folds: Number of test folds (1 for an official split).
        fold_of: Fold in which a row is tested, -1 = never, shape (N,).
        dropped: Training images of an official split that were left out because their lesion is
            in the test set too.
    """

    image_id: NDArray[np.str_]
    label: NDArray[np.int16]
    group: NDArray[np.str_]
    classes: tuple[str, ...]
    split: Split
    seed: int
    folds: int
    fold_of: NDArray[np.int16]
    dropped: int = 0

    def __len__(self) -> int:
        return len(self.image_id)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the design: images, labels, groups, classes, split, folds and seed.

        Budgets and draws are no part of it: they only choose among the training sets that the
        design defines. Neither are the order of rows and the rows that take no part.
        """
        rows = self._in_order(self.label >= 0)
        return fingerprint(
            "plan",
            _PROTOCOL,
            [self.split, self.folds, self.seed, list(self.classes)],
            self.image_id[rows],
            self.group[rows],
            self.label[rows].astype(np.int64),
            self.fold_of[rows].astype(np.int64),
        )

    @cached_property
    def units(self) -> Units:
        """What is dealt out whole: lesions, or images in a random split."""
        key = self.image_id if self.split in IMAGE_SPLITS else self.group
        return find_units(key, self.label, len(self.classes))

    def test_rows(self, fold: int) -> NDArray[np.intp]:
        """Return the rows that are tested in a fold, shape (n,)."""
        self._check_fold(fold)
        return self._in_order((self.fold_of == fold) & (self.label >= 0))

    def train_rows(self, fold: int, budget: float, draw: int) -> NDArray[np.intp]:
        """Return the rows that a method may see: to fit, to choose and to calibrate; shape (n,).

        Args:
            fold: Test fold; none of its lesions is seen (in a random split: images).
            budget: Percentage of the training lesions, above 0 and at most 100.
            draw: Number of the draw, from 0.

        Raises:
            UsageError: No such fold, budget or draw.
        """
        (budget,) = check_budgets([budget])
        order = self.training_order(fold, draw)
        chosen = np.concatenate([units[: budget_size(budget, len(units))] for units in order])
        return self._in_order(np.isin(self.units.of_row, chosen))

    def training_order(self, fold: int, draw: int) -> tuple[NDArray[np.intp], ...]:
        """Return the order in which budgets take the training units of each class.

        Returns:
            For each class, indices into `units`; any budget is a prefix of them.

        Raises:
            UsageError: No such fold or draw.
        """
        self._check_fold(fold)
        if draw < 0:
            raise UsageError(
                f"draw {draw}", cause="draws are counted from 0", remedy="Give a draw of 0 or more"
            )
        tested = np.unique(self.units.of_row[self.test_rows(fold)])
        free = np.ones(len(self.units.name), dtype=bool)
        free[tested] = False
        order = []
        for number in range(len(self.classes)):
            units = np.flatnonzero(free & (self.units.label == number))
            names = self.units.name[units]
            order.append(units[stable_order(names, "draw", self.seed, int(fold), int(draw))])
        return self._by_leakage(order, fold, draw)

    def describe(self, budgets: Iterable[float], draws: Iterable[int]) -> list[TrainingSet]:
        """Return the size of the training set of every fold, budget and draw."""
        draws, budgets = tuple(draws), check_budgets(budgets)
        return [
            self._training_set(fold, budget, draw)
            for fold in range(self.folds)
            for budget in budgets
            for draw in draws
        ]

    def check(self) -> None:
        """Assert what a Plan promises.

        Raises:
            PlanError: A lesion on two sides, a class missing in a fold, too few lesions to train
                on, or budgets that are not nested.
        """
        _checks.check_plan(self)

    def save(self, path: str | Path, *, folds: int | None = None, draws: int = 0) -> None:
        """Write the Plan as JSON that can be audited without featkit.

        Args:
            path: Where.
            folds: Write out the training orders of the first so many folds (default: all).
            draws: Write out the first so many draws of each of these folds.

        Raises:
            StoreError: The file cannot be written.
        """
        count = self.folds if folds is None else min(folds, self.folds)
        chosen = [(fold, draw) for fold in range(count) for draw in range(draws)]
        storage.write_plan(Path(path), self, chosen)

    @classmethod
    def load(cls, path: str | Path) -> Plan:
        """Read a Plan.

        Raises:
            PlanError: There is no such file, or it is damaged, edited, or of a newer featkit.
        """
        return storage.read_plan(Path(path), cls)

    def _by_leakage(
        self, order: list[NDArray[np.intp]], fold: int, draw: int
    ) -> tuple[NDArray[np.intp], ...]:
        """Take images of tested lesions out of the order, or in, where the split says so."""
        if self.split not in {"random-clean", "random-leaky"}:
            return tuple(order)
        sibling = sibling_units(self.units.of_row, self.group, self.test_rows(fold))
        if self.split == "random-clean":
            return tuple(clean_order(units, sibling) for units in order)
        salt = (self.seed, int(fold), int(draw))
        return tuple(leaky_order(units, sibling, self.units.name, *salt) for units in order)

    def _training_set(self, fold: int, budget: float, draw: int) -> TrainingSet:
        rows = self.train_rows(fold, budget, draw)
        by_class = np.bincount(self.label[rows], minlength=len(self.classes))
        return TrainingSet(
            fold=fold,
            budget=budget,
            draw=draw,
            n_lesions=len(np.unique(self.units.of_row[rows])),
            n_images=len(rows),
            images_by_class=tuple(int(count) for count in by_class),
        )

    def _in_order(self, chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
        rows = np.flatnonzero(chosen)
        return rows[np.argsort(self.image_id[rows])]

    def _check_fold(self, fold: int) -> None:
        if not 0 <= fold < self.folds:
            raise UsageError(
                f"fold {fold}",
                cause=f"the plan has {self.folds} test fold(s), counted from 0",
                remedy=f"Choose a fold from 0 to {self.folds - 1}",
            )
