"""Predictors of small models."""

import numpy as np
import pytest

from featkit.inference import Predictor


@pytest.fixture
def predictor_of(folder_of):
    """Return the predictor of a head's model, on the CPU in fp32."""
    opened = []

    def of(kind="linear", **options):
        folder = folder_of(kind)
        opened.append(Predictor.load(folder, **{"device": "cpu", "precision": "fp32", **options}))
        return opened[-1]

    yield of
    for each in opened:
        each.close()


@pytest.fixture
def pixels(trained):
    """Some images of the data set as arrays, (12, 32, 32, 3)."""
    _, _, dataset = trained
    return np.stack([np.array(dataset.images.read(row)) for row in range(12)])
