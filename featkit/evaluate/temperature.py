"""Temperature scaling: one number that makes confidence honest and leaves every decision alone."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import softmax

from featkit.errors import UsageError
from featkit.evaluate._inputs import Float, check_inputs

__all__ = [
    "HIGHEST_TEMPERATURE",
    "LOWEST_TEMPERATURE",
    "apply_temperature",
    "fit_temperature",
    "logits_of",
]

LOWEST_TEMPERATURE = 0.05
HIGHEST_TEMPERATURE = 20.0
"""Where the search ends: beyond what networks need, so that few images cannot claim anything."""

_LEAST = float(np.finfo(np.float32).tiny)
"""The least probability that counts; a Run's numbers become 0 below it."""

_FLAT = 1e-12
"""A slope of the log-loss, in nats, that is none."""


def fit_temperature(label: ArrayLike, probabilities: ArrayLike) -> float:
    """Return the temperature that minimises the log-loss of softmax(log p / T).

    Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2, with log p in
    the place of logits, which differ from it by a constant that softmax ignores. The log-loss is
    convex in 1 / T, so its slope has one root.

    Where all predictions are right, whether of one class or of many, a lower temperature is
    always better, and the answer is `LOWEST_TEMPERATURE`; where they are no better than chance,
    it is `HIGHEST_TEMPERATURE`. A temperature at either end says that these images are too few
    or too easy, or too hard, to calibrate on. Where no temperature is better than another, it is 1.

    Args:
        label: True class of images that the model was not trained on, shape (m,).
        probabilities: Shape (m, C).

    Raises:
        DataError: The arrays do not fit together, or there is no image.
    """
    predictions = check_inputs(label, probabilities, None)
    logits = logits_of(predictions.probabilities)
    true = logits[np.arange(len(logits)), predictions.label]

    def slope(log_temperature: float) -> float:
        """Slope of the log-loss in 1 / T: expected minus true logit, which falls with T."""
        chosen = softmax(logits * math.exp(-log_temperature), axis=1)
        return float(np.mean(np.sum(chosen * logits, axis=1) - true))

    if abs(slope(0.0)) <= _FLAT:
        return 1.0
    if slope(math.log(LOWEST_TEMPERATURE)) <= 0:
        return LOWEST_TEMPERATURE
    if slope(math.log(HIGHEST_TEMPERATURE)) >= 0:
        return HIGHEST_TEMPERATURE
    ends = math.log(LOWEST_TEMPERATURE), math.log(HIGHEST_TEMPERATURE)
    return math.exp(brentq(slope, *ends))


def apply_temperature(probabilities: ArrayLike, temperature: float) -> Float:
    """Return softmax(log p / T), in float64 that close probabilities stay apart, shape (n, C).

    Above 1 a temperature makes predictions less confident, below 1 more; it never changes which
    class is the top one.

    Args:
        probabilities: Shape (n, C).
        temperature: T, above 0.

    Raises:
        UsageError: A temperature that is not above 0.
    """
    if not 0 < temperature < math.inf:
        raise UsageError(
            f"temperature {temperature:g}",
            cause="it must be a number above 0",
            remedy="Use the one that fit_temperature returns",
        )
    scaled: Float = softmax(logits_of(probabilities) / temperature, axis=-1)
    return scaled


def logits_of(probabilities: ArrayLike) -> Float:
    """Return log p, float64, finite, in the place of logits."""
    logits: Float = np.log(np.maximum(np.asarray(probabilities, np.float64), _LEAST))
    return logits
