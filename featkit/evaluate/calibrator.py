"""Calibrator: two numbers that make the probabilities of all classes honest, not the top one alone.

A head that was trained with class weights answers as if all classes were equally frequent. A
temperature cannot mend that; a bias for each class can.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from featkit.errors import UsageError
from featkit.evaluate._inputs import Float, check_inputs
from featkit.evaluate.temperature import HIGHEST_TEMPERATURE, LOWEST_TEMPERATURE, logits_of

__all__ = ["Calibrator", "fit_calibrator"]

_MOST_OF_PRIOR = 2.0
"""Where the search for the weight of the classes' frequencies ends, on either side."""


@dataclass(frozen=True)
class Calibrator:
    """softmax(log p / T + b).

    Alexandari, Kundaje and Shrikumar, "Maximum likelihood with bias-corrected calibration is hard
    to beat at label shift adaptation", ICML 2020, section 3.2, with log p in the place of logits.

    Attributes:
        temperature: T, above 0.
        bias: b of each class, C finite numbers.
    """

    temperature: float
    bias: tuple[float, ...]

    def __post_init__(self) -> None:
        if not (0 < self.temperature < math.inf and np.isfinite(self.bias).all()):
            raise UsageError(
                f"a calibrator of temperature {self.temperature:g} and biases {self.bias}",
                cause="the temperature must be above 0 and the biases finite",
                remedy="Use the one that fit_calibrator returns",
            )

    def __call__(self, probabilities: ArrayLike) -> Float:
        """Return calibrated probabilities, float64, (n, C), of uncalibrated ones."""
        scaled: Float = softmax(logits_of(probabilities) / self.temperature + self.bias, axis=-1)
        return scaled


def fit_calibrator(label: ArrayLike, probabilities: ArrayLike) -> Calibrator:
    """Return the calibrator of least log-loss whose biases follow the classes' frequencies.

    b is s log π, π the share of each class among the images (with one more of each, so that none
    is 0). So there are two numbers to fit, T and s, however many classes and few images there are:
    with s = 1 the head answers as if classes were equally frequent, with s = 0 its own frequencies
    are right. The log-loss is convex in 1 / T and s.

    Args:
        label: True class of images that the model was not trained on, shape (m,).
        probabilities: Shape (m, C).

    Raises:
        DataError: The arrays do not fit together, or there is no image.
    """
    predictions = check_inputs(label, probabilities, None)
    logits, truth = logits_of(predictions.probabilities), predictions.label
    count = np.bincount(truth, minlength=predictions.n_classes) + 1.0
    frequency = np.log(count / count.sum())
    terms = np.stack([logits, np.broadcast_to(frequency, logits.shape)])
    right = terms[:, np.arange(len(truth)), truth].mean(axis=1)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """Mean log-loss and its slope in 1 / T and s."""
        log_p = log_softmax(np.tensordot(weights, terms, axes=1), axis=1)
        expected = (np.exp(log_p) * terms).sum(axis=2).mean(axis=1)
        return -float(log_p[np.arange(len(truth)), truth].mean()), expected - right

    found = minimize(
        loss,
        np.array([1.0, 0.0]),
        jac=True,
        method="L-BFGS-B",
        bounds=[
            (1 / HIGHEST_TEMPERATURE, 1 / LOWEST_TEMPERATURE),
            (-_MOST_OF_PRIOR, _MOST_OF_PRIOR),
        ],
    )
    sharpness, weight = (float(value) for value in found.x)
    return Calibrator(1 / sharpness, tuple((weight * frequency).tolist()))
