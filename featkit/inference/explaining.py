"""Explanations: for each image a heat map and the training cases that are most similar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featkit.data import Dataset, dataset_of
from featkit.errors import UsageError
from featkit.inference.heat import Heat, Heater
from featkit.inference.predictor import Answers, Predictor
from featkit.progress import Progress

__all__ = ["Explanation", "NearCase", "check_explaining", "explanations"]


@dataclass(frozen=True)
class NearCase:
    """A training image that is similar.

    Attributes:
        image_id: Its id.
        group: Its lesion.
        diagnosis: Its class.
        similarity: Cosine of the features, from -1 to 1.
    """

    image_id: str
    group: str
    diagnosis: str
    similarity: float


@dataclass(frozen=True, eq=False)
class Explanation:
    """Why a model says what it says of an image.

    Attributes:
        image_id: The image.
        probabilities: Calibrated, by class.
        decision: Class that the head decides for.
        label: Class that the heat map speaks for.
        heat: One map; None where the head does not know the class.
        cases: The most similar training cases, the most similar first; none without cases.
        pixels: What the network saw, (H, W, 3), uint8; the map covers all of it.
    """

    image_id: str
    probabilities: dict[str, float]
    decision: str
    label: str
    heat: Heat | None
    cases: tuple[NearCase, ...]
    pixels: NDArray[np.uint8]

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        heat = self.heat
        return {
            "image_id": self.image_id,
            "probabilities": self.probabilities,
            "decision": self.decision,
            "cases": [vars(case) for case in self.cases],
            "heat": None
            if heat is None
            else {
                "label": self.label,
                "way": heat.way,
                "exact": heat.exact,
                "values": np.round(heat.maps[0].astype(float), 6).tolist(),
            },
        }


def explanations(
    predictor: Predictor,
    images: Sequence[Any] | Dataset,
    *,
    label: str | None = None,
    cases: int = 5,
    progress: Progress | None = None,
) -> Iterator[Explanation]:
    """Yield the explanation of each image that can be read, in order.

    Args:
        predictor: The model.
        images: As `Predictor.predictions` takes them.
        label: Class that heat maps speak for; None for each image's most probable one.
        cases: How many training cases of each.
        progress: Told of every batch.

    Raises:
        UsageError: The model has no class of this name, or a library is missing.
    """
    check_explaining(predictor, label)
    classes = predictor.model.classes
    dataset = images if isinstance(images, Dataset) else dataset_of(images)
    heater = Heater(predictor.stream.backbone, predictor.model.head)
    for batch in predictor.answers(dataset, pixels=True, progress=progress):
        fine = np.flatnonzero([not reason for reason in batch.reason])
        if batch.pixels is None or not len(fine):
            continue
        wanted = batch.probabilities[fine].argmax(axis=1)
        if label is not None:
            wanted[:] = classes.index(label)
        heats = _heats(predictor, heater, batch.pixels[fine], wanted)
        near = _near(predictor, batch, fine, cases)
        for place, row in enumerate(fine):
            yield Explanation(
                image_id=str(dataset.image_id[batch.rows[row]]),
                probabilities=dict(
                    zip(classes, batch.probabilities[row].tolist(), strict=True),
                ),
                decision=classes[batch.decision[row]],
                label=classes[wanted[place]],
                heat=heats[place],
                cases=near[place],
                pixels=batch.pixels[row],
            )


def check_explaining(predictor: Predictor, label: str | None) -> None:
    """Refuse what could not be explained, before the first image is looked at.

    Args:
        predictor: The model.
        label: Class that heat maps are to speak for; None for each image's most probable one.

    Raises:
        UsageError: The model has no class of this name, or a library is missing.
    """
    classes = predictor.model.classes
    if label is not None and label not in classes:
        raise UsageError(
            f"a heat map for {label!r}",
            cause=f"the model's classes are {', '.join(classes)}",
            remedy="Name one of them",
        )
    Heater(predictor.stream.backbone, predictor.model.head).check()


def _heats(
    predictor: Predictor, heater: Heater, pixels: NDArray[np.uint8], wanted: NDArray[np.intp]
) -> list[Heat | None]:
    """Return a map for each image, None where the head was trained on no image of the class."""
    found: list[Heat | None] = [None] * len(wanted)
    rows = np.flatnonzero(np.isin(wanted, predictor.model.head.classes_))
    if len(rows):
        maps = heater.maps(pixels[rows], wanted[rows])
        for place, row in enumerate(rows):
            found[row] = Heat(maps.maps[place : place + 1], maps.way)
    return found


def _near(
    predictor: Predictor, batch: Answers, rows: NDArray[np.intp], count: int
) -> list[tuple[NearCase, ...]]:
    cases = predictor.model.cases
    if cases is None or not count:
        return [()] * len(rows)
    found = cases.nearest(batch.features[rows], count)
    return [
        tuple(
            NearCase(
                image_id=str(cases.image_id[row]),
                group=str(cases.group[row]),
                diagnosis=predictor.model.classes[int(cases.label[row])],
                similarity=float(similarity),
            )
            for row, similarity in zip(nearest, similarities, strict=True)
        )
        for nearest, similarities in zip(found.rows, found.similarity, strict=True)
    ]
