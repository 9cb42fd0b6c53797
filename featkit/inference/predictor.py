"""Predictor: a trained model put to use, images in and calibrated probabilities out."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin

from featkit.data import Dataset, dataset_of
from featkit.errors import DataError
from featkit.features import FeatureStream
from featkit.inference._backbones import backbone_of
from featkit.inference.predictions import Predictions
from featkit.models import TrainedModel
from featkit.progress import NoProgress, Progress

__all__ = ["Predictor"]

_LEVEL = 0.95
"""From where on an image counts as unlike the training data, where a model does not say."""


class Predictor(ClassifierMixin, BaseEstimator):
    """A model with its backbone, ready for images: a classifier of scikit-learn that is trained.

    Three lines do it:

        predictor = Predictor.load("model")
        probabilities = predictor.predict_proba(["a.jpg", "b.jpg"])
        diagnoses = predictor.predict(["a.jpg", "b.jpg"])

    Args:
        model: What was trained.
        device: As `extract` takes it.
        precision: As `extract` takes it.
        batch_size: Images in the network at once; None = by device.
        workers: Threads that decode; None = one for each core.

    Attributes:
        model: As given.
        classes_: Names of the classes, in the order of probabilities, shape (C,).
        stream: What makes the features.

    Raises:
        ModelError: The backbone that is found is another one than the model's.
        BackboneError: The backbone's weights cannot be had.
    """

    def __init__(
        self,
        model: TrainedModel,
        *,
        device: str = "auto",
        precision: str = "auto",
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        self.model = model
        self.device = device
        self.precision = precision
        self.batch_size = batch_size
        self.workers = workers
        self._begin()

    def _begin(self) -> None:
        """Load the backbone and put it on the device."""
        self.classes_ = np.array(self.model.classes)
        self.stream = FeatureStream(
            backbone_of(self.model),
            device=self.device,
            precision=self.precision,
            batch_size=self.batch_size,
            views=self.model.facts.head.tta,
            workers=self.workers,
        )
        opened = ExitStack()
        opened.enter_context(self.stream)
        # Whoever forgets to close it has it closed before Python ends.
        self._close = weakref.finalize(self, opened.close)

    def set_params(self, **params: Any) -> Self:
        """Change what it was made with, and begin anew."""
        super().set_params(**params)
        self._close()
        self._begin()
        return self

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.get_params(deep=False))

    def __setstate__(self, state: dict[str, Any]) -> None:
        type(self).__init__(self, **state)

    @classmethod
    def load(cls, folder: Path | str, **options: Any) -> Self:
        """Return the predictor of a model's folder.

        Args:
            folder: As `featkit export` made it.
            **options: As `Predictor` takes them.

        Raises:
            ModelError: It is no model, was changed, or is of a newer featkit.
            BackboneError: The backbone's weights cannot be had.
        """
        return cls(TrainedModel.load(folder), **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Take the network from its device."""
        self._close()

    def fit(self, X: Any, y: Any = None) -> Self:
        """Return the predictor as it is: it is trained already, as a `FrozenEstimator`."""
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = False
        return tags

    def predict_proba(self, images: Sequence[Any]) -> NDArray[np.float64]:
        """Return calibrated probabilities (n, C), columns in the order of `classes_`.

        Args:
            images: n paths or URLs, PIL images, or arrays (H, W, 3) of uint8.

        Raises:
            DataError: An image cannot be read.
        """
        found = self.predictions(images)
        if found.failed.any():
            row = int(found.failed.argmax())
            raise DataError(
                f"cannot read the image {found.image_id[row]}",
                cause=str(found.reason[row]),
                remedy="Leave it out, or use `predictions`, which lists failures",
            )
        return found.probabilities

    def predict(self, images: Sequence[Any]) -> NDArray[np.str_]:
        """Return the most probable class of each image, shape (n,).

        What the head decides where all classes count the same `predictions` says.

        Raises:
            DataError: An image cannot be read.
        """
        names: NDArray[np.str_] = self.classes_[self.predict_proba(images).argmax(axis=1)]
        return names

    def predictions(
        self, images: Sequence[Any] | Dataset, *, progress: Progress | None = None
    ) -> Predictions:
        """Return all that the model says of images; those that cannot be read are listed.

        Args:
            images: As `predict_proba` takes them, or a Dataset.
            progress: Told of every batch.
        """
        dataset = images if isinstance(images, Dataset) else dataset_of(images)
        count, classes = len(dataset), self.model.classes
        probabilities = np.full((count, len(classes)), np.nan)
        decision = np.full(count, -1)
        unlike = None if self.model.cases is None else np.full(count, np.nan)
        reasons = [""] * count
        for batch in self.answers(dataset, progress=progress):
            rows = slice(batch.rows.start, batch.rows.stop)
            probabilities[rows], reasons[rows] = batch.probabilities, batch.reason
            decision[rows] = batch.decision
            if unlike is not None and batch.unlike is not None:
                unlike[rows] = batch.unlike
        facts = self.model.facts.unlike
        return Predictions(
            image_id=dataset.image_id,
            classes=classes,
            probabilities=probabilities,
            decided=decision,
            unlike=unlike,
            unlike_from=_LEVEL if facts is None else 1 - facts.level,
            reason=np.array(reasons, dtype=np.str_),
            thresholds=self.model.flagged_from,
        )

    def answers(
        self, dataset: Dataset, *, pixels: bool = False, progress: Progress | None = None
    ) -> Iterator[Answers]:
        """Yield what the model says of a data set's images, batch by batch, in order.

        Args:
            dataset: The images.
            pixels: Whether to hand out what the network saw as well.
            progress: Told of every batch.
        """
        shown = progress or NoProgress()
        shown.start(f"predict by {self.model.facts.name}", total=len(dataset), unit="images")
        failed = 0
        try:
            with closing(self.stream.batches(dataset, pixels=pixels)) as batches:
                for batch in batches:
                    fine = np.array([not reason for reason in batch.reason])
                    failed += int((~fine).sum())
                    yield replace(
                        self._answers(batch.rows, batch.features, batch.reason, fine),
                        pixels=batch.pixels,
                    )
                    shown.advance(len(fine), note=f"{failed} failed" if failed else "")
        finally:
            shown.finish()

    def answers_of_pixels(self, pixels: NDArray[np.uint8]) -> Answers:
        """Return what the model says of the network's input (n, V, H, W, 3), uint8."""
        features = self.stream.of_pixels(pixels)
        count = len(features)
        return self._answers(range(count), features, [""] * count, np.ones(count, bool))

    def _answers(
        self,
        rows: range,
        features: NDArray[np.float32],
        reason: list[str],
        fine: NDArray[np.bool_],
    ) -> Answers:
        cases = self.model.cases
        probabilities = np.full((len(rows), len(self.model.classes)), np.nan)
        decision = np.full(len(rows), -1)
        unlike = None if cases is None else np.full(len(rows), np.nan)
        if fine.any():
            own = self.model.raw_probabilities(features[fine])
            decision[fine], probabilities[fine] = own.argmax(axis=1), self.model.calibrated(own)
            if cases is not None and unlike is not None:
                unlike[fine] = cases.unlike(features[fine, 0])
        return Answers(rows, probabilities, decision, unlike, reason, features[:, 0])


@dataclass(frozen=True, eq=False)
class Answers:
    """What the model says of some successive images, n of them.

    Attributes:
        rows: Their rows in the Dataset.
        probabilities: Calibrated, (n, C); NaN where an image failed.
        decision: Class that the head decides for, (n,); -1 where an image failed.
        unlike: How strange each is, (n,); None where the model has no training cases.
        reason: Why one failed, "" where it did not, length n.
        features: Of the plain views, (n, D).
        pixels: What the network saw of them, (n, H, W, 3), uint8; None where not asked for.
    """

    rows: range
    probabilities: NDArray[np.float64]
    decision: NDArray[np.intp]
    unlike: NDArray[np.float64] | None
    reason: list[str]
    features: NDArray[np.float32]
    pixels: NDArray[np.uint8] | None = None
