"""Predictions that are neither perfect nor at chance, with ties and a rare class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray


@dataclass
class Case:
    label: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    weights: NDArray[np.float32]

    def repeated(self, resample: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Return the rows of one resampling, each as often as it was drawn."""
        rows = np.repeat(np.arange(len(self.label)), self.weights[resample].astype(int))
        return self.label[rows], self.probabilities[rows]


@pytest.fixture(params=[0, 1, 2])
def case(request) -> Case:
    """150 images of five classes; 12 resamplings, the first without the last class."""
    rng = np.random.default_rng(request.param)
    label = rng.choice(5, 150, p=[0.5, 0.2, 0.15, 0.1, 0.05])
    label[:5] = range(5)
    probabilities = rng.dirichlet(np.ones(5), 150)
    probabilities[np.arange(150), label] += rng.uniform(0, 0.8, 150)
    # In tenths, so that scores and top classes are tied often.
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    probabilities = rng.multinomial(10, probabilities) / 10
    weights = rng.multinomial(150, np.full(150, 1 / 150), size=12).astype(np.float32)
    weights[0, label == 4] = 0
    return Case(label, probabilities, weights)
