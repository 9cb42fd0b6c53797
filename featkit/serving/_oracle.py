"""The oracle: what the model says of prepared images, a batch at a time, in one thread."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.inference import Heat, Heater, Predictor
from featkit.inference.heat import OCCLUSION
from featkit.models import Found
from featkit.serving._preparing import Prepared

__all__ = ["Oracle", "Place", "Question", "Said"]


@dataclass(frozen=True, eq=False)
class Question:
    """What is asked of an image.

    Attributes:
        image: As the network takes it.
        cases: How many training cases to show.
    """

    image: Prepared
    cases: int


@dataclass(frozen=True, eq=False)
class Said:
    """What is said of an image.

    Attributes:
        probabilities: Calibrated, (C,).
        decision: Class that the head decides for.
        unlike: How strange it is; None without training cases.
        near: The nearest cases, one row; None without.
    """

    probabilities: NDArray[np.float64]
    decision: int
    unlike: float | None
    near: Found | None


@dataclass(frozen=True, eq=False)
class Place:
    """A question for a heat map.

    Attributes:
        image: As the network takes it.
        label: The class that it is for.
    """

    image: Prepared
    label: int


class Oracle:
    """Answers batches of questions with one model.

    Args:
        predictor: The model.
    """

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._heater = Heater(predictor.stream.backbone, predictor.model.head)
        self._known = frozenset(predictor.model.facts.head.classes)
        self.way = self._heater.way

    @property
    def slow(self) -> bool:
        """Whether a heat map takes hundreds of times as long as an answer."""
        return self.way == OCCLUSION

    def answer(self, questions: Sequence[Question]) -> list[Said]:
        """Return what is said of each image."""
        pixels = np.stack([question.image.pixels for question in questions])
        found = self._predictor.answers_of_pixels(pixels)
        cases = self._predictor.model.cases
        most = max(question.cases for question in questions)
        near = cases.nearest(found.features, most) if cases is not None and most else None
        return [
            Said(
                probabilities=found.probabilities[row],
                decision=int(found.decision[row]),
                unlike=None if found.unlike is None else float(found.unlike[row]),
                near=None if near is None else _first(near, row, question.cases),
            )
            for row, question in enumerate(questions)
        ]

    def heat(self, places: Sequence[Place]) -> list[Heat | None]:
        """Return a map for each; None for a class that the head was trained on no image of."""
        rows = [row for row, place in enumerate(places) if place.label in self._known]
        found: list[Heat | None] = [None] * len(places)
        if rows:
            pixels = np.stack([places[row].image.pixels[0] for row in rows])
            maps = self._heater.maps(pixels, np.array([places[row].label for row in rows]))
            for place, row in enumerate(rows):
                found[row] = Heat(maps.maps[place : place + 1], maps.way)
        return found


def _first(near: Found, row: int, count: int) -> Found | None:
    if not count:
        return None
    return Found(near.rows[row : row + 1, :count], near.similarity[row : row + 1, :count])
