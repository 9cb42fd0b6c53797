"""Warming up: what is slow only once is done before anyone asks."""

from __future__ import annotations

import numpy as np

from featkit.features import FeatureStream
from featkit.serving._oracle import Oracle, Place, Question
from featkit.serving._preparing import Prepared

__all__ = ["warm"]


def warm(oracle: Oracle, stream: FeatureStream) -> None:
    """Ask of a grey image all that a person might."""
    height, width = stream.backbone.preprocessing.crop
    grey = np.full((stream.views, height, width, 3), 128, np.uint8)
    image = Prepared(grey, width, height, (0.0, 0.0, 1.0, 1.0))
    said = oracle.answer([Question(image, cases=1)])[0]
    if not oracle.slow:
        oracle.heat([Place(image, int(said.probabilities.argmax()))])
