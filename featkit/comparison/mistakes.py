"""Images that are predicted wrongly: by one method with confidence, or by all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.comparison.evidence import Evidence
from featkit.runs import Run

__all__ = ["HardImage", "Mistake", "Mistakes", "find_mistakes"]


@dataclass(frozen=True)
class Mistake:
    """A test image with a wrong top prediction, of probabilities averaged over draws.

    Attributes:
        image_id: The image.
        lesion: Its lesion.
        true: Its class.
        predicted: The top class.
        probability: Of the top class.
        probability_true: Of its own class.
    """

    image_id: str
    lesion: str
    true: str
    predicted: str
    probability: float
    probability_true: float


@dataclass(frozen=True)
class HardImage:
    """A test image that every row predicts wrongly.

    Attributes:
        image_id: The image.
        lesion: Its lesion.
        true: Its class.
        predicted: The class that most rows take it for, the first of equals.
        agreeing: Number of rows that do.
        probability_true: Of its own class, mean over the rows.
    """

    image_id: str
    lesion: str
    true: str
    predicted: str
    agreeing: int
    probability_true: float


@dataclass(frozen=True)
class Mistakes:
    """What went wrong at one budget. A label may be the mistake, too.

    Attributes:
        budget: Percent of the training lesions.
        confident: The most confident mistakes of each row, the surest first.
        wrong: Number of wrong test images of each row.
        hard: Images that every row predicts wrongly, the least probable first.
        hard_images: How many there are in all.
        rows: Number of rows.
        test_images: Number of images that all rows were tested on.
    """

    budget: float
    confident: Mapping[str, tuple[Mistake, ...]]
    wrong: Mapping[str, int]
    hard: tuple[HardImage, ...]
    hard_images: int
    rows: int
    test_images: int


@dataclass(frozen=True, eq=False)
class _Averaged:
    """Mean probabilities of a row's Runs, image by image in the order of their ids."""

    image_id: NDArray[np.str_]
    group: NDArray[np.str_]
    label: NDArray[np.intp]
    probabilities: NDArray[np.float64]

    @property
    def top(self) -> NDArray[np.intp]:
        chosen: NDArray[np.intp] = np.argmax(self.probabilities, axis=1)
        return chosen


def find_mistakes(evidence: Evidence, budget: float, *, most: int = 20) -> Mistakes:
    """Find the mistakes of every row at a budget.

    Args:
        evidence: Runs and their comparison.
        budget: Percent of the training lesions.
        most: How many images a list names.
    """
    grid = evidence.grid
    rows = {
        method: _averaged(list(grid.runs(method, budget).values()))
        for method in grid.methods
        if grid.runs(method, budget)
    }
    hard, shared = _hard(list(rows.values()), grid.classes)
    return Mistakes(
        budget=budget,
        confident={name: _confident(row, grid.classes, most) for name, row in rows.items()},
        wrong={name: int(np.sum(row.top != row.label)) for name, row in rows.items()},
        hard=tuple(hard[:most]),
        hard_images=len(hard),
        rows=len(rows),
        test_images=shared,
    )


def _averaged(runs: Sequence[Run]) -> _Averaged:
    ids = np.concatenate([run.test.image_id for run in runs])
    names, first, of_image, count = np.unique(
        ids, return_index=True, return_inverse=True, return_counts=True
    )
    total = np.zeros((len(names), runs[0].probabilities.shape[1]))
    np.add.at(total, of_image, np.concatenate([run.probabilities for run in runs]))
    return _Averaged(
        names,
        np.concatenate([run.test.group for run in runs])[first],
        np.concatenate([run.test.label for run in runs])[first].astype(np.intp),
        total / count[:, None],
    )


def _confident(row: _Averaged, classes: Sequence[str], most: int) -> tuple[Mistake, ...]:
    top, each = row.top, np.arange(len(row.label))
    sure = row.probabilities[each, top]
    wrong = np.flatnonzero(top != row.label)
    order = wrong[np.argsort(-sure[wrong], kind="stable")][:most]
    return tuple(
        Mistake(
            image_id=str(row.image_id[index]),
            lesion=str(row.group[index]),
            true=classes[row.label[index]],
            predicted=classes[top[index]],
            probability=float(sure[index]),
            probability_true=float(row.probabilities[index, row.label[index]]),
        )
        for index in order
    )


def _hard(rows: Sequence[_Averaged], classes: Sequence[str]) -> tuple[list[HardImage], int]:
    """Return the images that all rows get wrong, and how many images all were tested on."""
    shared = rows[0].image_id
    for row in rows[1:]:
        shared = np.intersect1d(shared, row.image_id)
    places = [np.searchsorted(row.image_id, shared) for row in rows]
    tops = np.stack([row.top[place] for row, place in zip(rows, places, strict=True)])
    label = rows[0].label[places[0]]
    probability = np.mean(
        [row.probabilities[place, label] for row, place in zip(rows, places, strict=True)], axis=0
    )
    wrong = np.flatnonzero((tops != label).all(axis=0))
    found = []
    for index in wrong[np.argsort(probability[wrong], kind="stable")]:
        votes = np.bincount(tops[:, index], minlength=len(classes))
        found.append(
            HardImage(
                image_id=str(shared[index]),
                lesion=str(rows[0].group[places[0][index]]),
                true=classes[label[index]],
                predicted=classes[int(np.argmax(votes))],
                agreeing=int(votes.max()),
                probability_true=float(probability[index]),
            )
        )
    return found, len(shared)
