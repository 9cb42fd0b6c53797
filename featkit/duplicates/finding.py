"""Finding lesions that a data set lists twice: candidates by features, then the geometry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from featkit.duplicates.candidates import Candidates, count_lesions, half_whitened, nearest_across
from featkit.duplicates.evidence import Evidence
from featkit.duplicates.pairs import DuplicatePair
from featkit.errors import DataError, UsageError
from featkit.features import turned_features
from featkit.progress import NoProgress, Progress

if TYPE_CHECKING:
    from featkit.backbones.backbone import Backbone
    from featkit.data.dataset import Dataset

__all__ = ["NEIGHBOURS", "Duplicates", "find_duplicates"]

NEIGHBOURS = 5
"""Candidates of each image, unless told otherwise."""


@dataclass(frozen=True)
class Duplicates:
    """What was looked for, and what was found.

    Attributes:
        name: The Dataset's.
        images: Number of images that were searched.
        lesions: Number of their lesions.
        backbone: Whose features chose the candidates.
        neighbours: How many of each image.
        pairs: All candidates: the confirmed first, each part in order of its evidence.
        unreadable: Reason by id of images that were left out.
    """

    name: str
    images: int
    lesions: int
    backbone: str
    neighbours: int
    pairs: tuple[DuplicatePair, ...]
    unreadable: Mapping[str, str]

    @property
    def confirmed(self) -> tuple[DuplicatePair, ...]:
        """The pairs that show one lesion."""
        return tuple(pair for pair in self.pairs if pair.confirmed)

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values, of the pairs the confirmed ones."""
        return {
            "name": self.name,
            "images": self.images,
            "lesions": self.lesions,
            "backbone": self.backbone,
            "neighbours": self.neighbours,
            "candidates": len(self.pairs),
            "confirmed": [pair.to_dict() for pair in self.confirmed],
            "unreadable": dict(self.unreadable),
        }


def find_duplicates(
    dataset: Dataset,
    backbone: Backbone,
    *,
    neighbours: int = NEIGHBOURS,
    device: str = "auto",
    workers: int | None = None,
    progress: Progress | None = None,
) -> Duplicates:
    """Find pairs of images that show one lesion under two lesion ids.

    Features choose candidates: each image's nearest neighbours among other lesions' images, turned
    and mirrored. The geometry decides: keypoints that agree on one turn, zoom and shift, and
    photographs that look alike once they are aligned.

    Args:
        dataset: The images; one of unknown lesion ("") counts as a lesion of its own.
        backbone: Whose features choose the candidates.
        neighbours: Candidates of each image. More find more, and take longer.
        device: Where the network runs, as for `extract`.
        workers: Threads; None for one for each core.
        progress: Who listens; nobody where it is None.

    Raises:
        UsageError: OpenCV is not installed, or an option cannot be meant.
        DataError: Fewer than two lesions have an image that can be read.
        BackboneError: A single image does not fit into memory.
    """
    # OpenCV is an extra: without it, say so before the features are computed.
    from featkit.duplicates._comparisons import compare_rows

    if neighbours < 1:
        raise UsageError(
            f"{neighbours} neighbours",
            cause="each image needs a candidate at least",
            remedy="Give 1 or more",
        )
    progress = progress or NoProgress()
    _check_lesions(dataset)
    found = turned_features(dataset, backbone, device=device, workers=workers, progress=progress)
    readable = np.flatnonzero(found.reason == "")
    searched = dataset.select(readable)
    _check_lesions(searched)
    candidates = nearest_across(
        half_whitened(found.features[readable]),
        searched.group,
        neighbours=neighbours,
        progress=progress,
    )
    rows = list(zip(candidates.first.tolist(), candidates.second.tolist(), strict=True))
    evidence = compare_rows(searched, rows, workers=workers, progress=progress)
    failed = np.flatnonzero(found.reason != "")
    return Duplicates(
        name=dataset.name,
        images=len(searched),
        lesions=count_lesions(searched.group),
        backbone=backbone.spec,
        neighbours=neighbours,
        pairs=pairs_of(searched, candidates, evidence),
        unreadable={str(dataset.image_id[row]): str(found.reason[row]) for row in failed},
    )


def _check_lesions(dataset: Dataset) -> None:
    """Refuse data in which nothing can be a duplicate across lesions."""
    found = count_lesions(dataset.group)
    if found < 2:
        raise DataError(
            f"{dataset.name}: nothing to compare",
            cause=f"{len(dataset)} image(s) of {found} lesion(s) can be read, and duplicates are "
            "looked for across lesions",
            remedy="Check the data set and its column of lesions with `featkit data info`",
        )


def pairs_of(
    dataset: Dataset, candidates: Candidates, evidence: list[Evidence]
) -> tuple[DuplicatePair, ...]:
    """Return the pairs: the confirmed first, then by evidence, then by similarity."""
    names = np.array([*dataset.classes, ""])[dataset.label]  # no label is -1, the last one
    pairs = [
        DuplicatePair(
            images=(str(dataset.image_id[one]), str(dataset.image_id[other])),
            lesions=(str(dataset.group[one]), str(dataset.group[other])),
            labels=(str(names[one]), str(names[other])),
            similarity=float(similarity),
            evidence=found,
        )
        for one, other, similarity, found in zip(
            candidates.first, candidates.second, candidates.similarity, evidence, strict=True
        )
    ]
    return tuple(
        sorted(pairs, key=lambda pair: (pair.confirmed, pair.evidence.strength), reverse=True)
    )
