"""FeatureExtractor: a backbone as a scikit-learn transformer, images in and features out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from featkit.backbones.loading import load_backbone
from featkit.data.given import dataset_of
from featkit.errors import DataError
from featkit.features.streaming import FeatureStream

__all__ = ["FeatureExtractor"]


class FeatureExtractor(TransformerMixin, BaseEstimator):
    """Frozen features as the first step of a scikit-learn pipeline.

    `make_pipeline(FeatureExtractor("timm:resnet50"), LinearHead())` cross-validates like any
    estimator. Nothing is learned here, so features of test images may be made beside those of
    training images; give the pipeline `memory=` to make them once.

    Args:
        backbone: As `load_backbone` takes it.
        pooling: As `load_backbone` takes it.
        image_size: As `load_backbone` takes it.
        random_weights: As `load_backbone` takes it.
        device: As `extract` takes it.
        precision: As `extract` takes it; fp32 by default, so that features of an image do not
            depend on how many there are beside it.
        batch_size: Images in the network at once; None = by device.
        workers: Threads that decode; None = one for each core.

    Attributes:
        backbone_: The loaded Backbone.
        n_features_out_: Feature dimension D.
    """

    def __init__(
        self,
        backbone: str,
        *,
        pooling: str | None = None,
        image_size: int | None = None,
        random_weights: bool = False,
        device: str = "auto",
        precision: str = "fp32",
        batch_size: int | None = None,
        workers: int | None = None,
    ) -> None:
        self.backbone = backbone
        self.pooling = pooling
        self.image_size = image_size
        self.random_weights = random_weights
        self.device = device
        self.precision = precision
        self.batch_size = batch_size
        self.workers = workers

    def fit(self, X: Sequence[Any], y: Any = None) -> Self:
        """Load the backbone; the images are not looked at.

        Raises:
            BackboneError: The weights cannot be had.
        """
        self.backbone_ = load_backbone(
            self.backbone,
            pooling=self.pooling,
            image_size=self.image_size,
            random_weights=self.random_weights,
        )
        self.n_features_out_ = self.backbone_.dimension
        return self

    def transform(self, X: Sequence[Any]) -> NDArray[np.float32]:
        """Return the features of images, shape (n, D).

        Args:
            X: n paths or URLs, PIL images, or arrays (H, W, 3) or (H, W) of uint8.

        Raises:
            DataError: An image cannot be read.
        """
        check_is_fitted(self, "backbone_")
        dataset = dataset_of(X)
        stream = FeatureStream(
            self.backbone_,
            device=self.device,
            precision=self.precision,
            batch_size=self.batch_size,
            workers=self.workers,
        )
        found = np.empty((len(dataset), self.n_features_out_), np.float32)
        with stream:
            for batch in stream.batches(dataset):
                found[batch.rows.start : batch.rows.stop] = batch.features[:, 0]
                for row, reason in zip(batch.rows, batch.reason, strict=True):
                    if reason:
                        raise DataError(
                            f"cannot read the image {dataset.image_id[row]}",
                            cause=reason,
                            remedy="Leave it out, or see `featkit data check`",
                        )
        return found

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return f0 to f(D-1)."""
        check_is_fitted(self, "backbone_")
        return np.array([f"f{number}" for number in range(self.n_features_out_)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        tags.requires_fit = True
        return tags
