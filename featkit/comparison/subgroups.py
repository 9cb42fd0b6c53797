"""Scores by what else is known of the images: sex, age, site, type of diagnosis."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from featkit.comparison._levels import UNKNOWN, levels_of
from featkit.comparison._resampling import Resampling, Runs, estimate
from featkit.comparison.comparison import Estimate
from featkit.comparison.evidence import Evidence
from featkit.comparison.gathering import Grid
from featkit.evaluate import METRICS

__all__ = ["FEWEST_LESIONS", "Subgroup", "SubgroupScores", "find_subgroups"]

FEWEST_LESIONS = 10
"""Below, a score says more about the lesions than about the method, and is not given."""

Rows = Mapping[int, NDArray[np.intp]]


@dataclass(frozen=True)
class SubgroupScores:
    """Scores of one method on a subgroup's test images; None where there are too few lesions.

    Attributes:
        accuracy: With its 95% interval over lesions and draws.
        mean_recall: Over the subgroup's `classes`.
        focus_recall: Of the class in focus.
    """

    accuracy: Estimate | None
    mean_recall: Estimate | None
    focus_recall: Estimate | None


@dataclass(frozen=True)
class Subgroup:
    """Test images with one level of one column of metadata.

    Attributes:
        column: Name of the column.
        level: What they share.
        images: Number of test images.
        lesions: Number of their lesions.
        classes: Classes with enough lesions here for a recall of their own; subgroups differ in
            them, so their mean recalls compare methods, not subgroups.
        focus_lesions: Lesions of the class in focus.
        scores: By method.
    """

    column: str
    level: str
    images: int
    lesions: int
    classes: tuple[str, ...]
    focus_lesions: int
    scores: Mapping[str, SubgroupScores]


def find_subgroups(
    evidence: Evidence,
    images: Mapping[str, Mapping[str, str]],
    *,
    methods: Sequence[str],
    budget: float,
) -> Iterator[Subgroup]:
    """Score methods at one budget on the subgroups that metadata make.

    Args:
        evidence: Runs and their comparison.
        images: Metadata by image id (see `read_images`); an image without is unknown.
        methods: Rows, each with Runs at the budget.
        budget: Percent of the training lesions.
    """
    grid, focus = evidence.grid, evidence.comparison.focus
    ids = {str(name) for test in grid.tests.values() for name in test.image_id}
    known = sorted(ids & images.keys())
    for column in dict.fromkeys(name for image in known for name in images[image]):
        levels = levels_of(column, [images[image].get(column, "") for image in known])
        of_image = dict(zip(known, levels or (), strict=False))
        for level in _ordered(levels or ()):
            rows = {
                fold: np.flatnonzero(
                    [of_image.get(str(name), UNKNOWN) == level for name in test.image_id]
                )
                for fold, test in grid.tests.items()
            }
            runs = {method: grid.runs(method, budget) for method in methods}
            yield _Scorer(grid, evidence.resampling, rows, focus).subgroup(column, level, runs)


def _ordered(levels: Sequence[str]) -> list[str]:
    """Return distinct levels: bands by their numbers, texts by frequency, the unknown last."""

    def place(level: str) -> tuple[bool, bool, float]:
        number = re.match(r"-?\d+(\.\d+)?(?=–| to )", level)
        joined = level.startswith("other (")
        return level == UNKNOWN, joined, float(number[0]) if number else -levels.count(level)

    return sorted(sorted(set(levels)), key=place)


class _Scorer:
    """Scores on some rows of each fold's test set."""

    def __init__(self, grid: Grid, resampling: Resampling, rows: Rows, focus: str) -> None:
        self._grid = grid
        self._resampling = resampling
        self._rows = rows
        self._of_class = {
            name: {
                fold: chosen[grid.tests[fold].label[chosen] == index]
                for fold, chosen in rows.items()
            }
            for index, name in enumerate(grid.classes)
        }
        self._focus = self._of_class.get(focus, {})

    def subgroup(self, column: str, level: str, runs: Mapping[str, Runs]) -> Subgroup:
        """Return the subgroup with the scores of each method."""
        classes = [
            name for name, rows in self._of_class.items() if self._lesions(rows) >= FEWEST_LESIONS
        ]
        return Subgroup(
            column=column,
            level=level,
            images=self._count(self._rows, "image_id"),
            lesions=self._lesions(self._rows),
            classes=tuple(classes),
            focus_lesions=self._lesions(self._focus),
            scores={method: self._scores(made, classes) for method, made in runs.items()},
        )

    def _scores(self, runs: Runs, classes: Sequence[str]) -> SubgroupScores:
        return SubgroupScores(
            accuracy=self._right(runs, [self._rows]),
            mean_recall=(
                self._right(runs, [self._of_class[name] for name in classes])
                if len(classes) > 1
                else None
            ),
            focus_recall=self._right(runs, [self._focus]),
        )

    def _right(self, runs: Runs, parts: Sequence[Rows]) -> Estimate | None:
        """Return the share of right top predictions, mean over parts, None where one is small."""
        if any(self._lesions(rows) < FEWEST_LESIONS for rows in parts):
            return None
        points, samples = [], []
        for rows in parts:
            made = {key: run for key, run in runs.items() if len(rows[key[0]])}
            statistic = {fold: _Accuracy(rows[fold]) for fold, _ in made}
            points.append(
                self._resampling.mean(
                    {
                        key: statistic[key[0]](run.test.label, run.probabilities, None)[0]
                        for key, run in made.items()
                    }
                )
            )
            samples.append(
                self._resampling.average(
                    {
                        key: self._resampling.of_run(run, statistic[key[0]])
                        for key, run in made.items()
                    }
                )
            )
        return estimate(float(np.mean(points)), np.mean(samples, axis=0))

    def _lesions(self, rows: Rows) -> int:
        return self._count(rows, "group")

    def _count(self, rows: Rows, column: str) -> int:
        found = [getattr(self._grid.tests[fold], column)[chosen] for fold, chosen in rows.items()]
        return len(np.unique(np.concatenate(found))) if found else 0


@dataclass(frozen=True, eq=False)
class _Accuracy:
    """Accuracy on some rows of a test set."""

    rows: NDArray[np.intp]

    def __call__(
        self, label: ArrayLike, probabilities: ArrayLike, weights: ArrayLike | None
    ) -> NDArray[np.float64]:
        rows = self.rows
        drawn = None if weights is None else np.asarray(weights)[:, rows]
        return METRICS["accuracy"](np.asarray(label)[rows], np.asarray(probabilities)[rows], drawn)
