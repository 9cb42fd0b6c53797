"""Simulations: 95% intervals hold the truth about as often as they promise.

Each trial draws a test set of lesions from one population whose true score is known from a very
large sample. Images of a lesion share most of what makes them easy or hard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import ndtri, softmax
from scipy.stats import binom

from featkit.evaluate import (
    METRICS,
    LabelsNeeded,
    PowerLaw,
    interval,
    labels_needed,
    lesion_weights,
    paired_difference,
)

TRIALS = 200
LESIONS = 150


@dataclass
class Sample:
    label: NDArray[np.intp]
    group: NDArray[np.intp]
    methods: tuple[NDArray[np.float64], NDArray[np.float64]]


def draw(rng: np.random.Generator, lesions: int) -> Sample:
    """Draw 1 to 6 images of each lesion; a better and a worse method, who err alike."""
    group = np.repeat(np.arange(lesions), rng.integers(1, 7, lesions))
    label = rng.choice(3, lesions, p=[0.5, 0.3, 0.2])[group]
    shared = 1.2 * rng.normal(size=(lesions, 3))[group]
    methods = []
    for signal in (1.8, 1.3):
        own = 0.6 * rng.normal(size=(lesions, 3))[group]
        image = 0.4 * rng.normal(size=(len(group), 3))
        methods.append(softmax(signal * np.eye(3)[label] + shared + own + image, axis=1))
    return Sample(label, group, (methods[0], methods[1]))


def tolerated(trials: int = TRIALS) -> tuple[float, float]:
    """Return how few and many of the intervals may hold the truth by chance, at 95% each."""
    least, most = binom.ppf([0.001, 0.999], trials, 0.95)
    return float(least), float(most)


@pytest.fixture(scope="module")
def population() -> Sample:
    return draw(np.random.default_rng(0), 100_000)


@pytest.fixture(scope="module")
def trials() -> list[Sample]:
    rng = np.random.default_rng(1)
    return [draw(rng, LESIONS) for _ in range(TRIALS)]


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_auroc"])
def test_intervals_over_lesions_hold_and_those_over_images_do_not(name, population, trials):
    metric = METRICS[name]
    truth = metric(population.label, population.methods[0])[0]
    covered = {"lesion": 0, "image": 0}
    for number, sample in enumerate(trials):
        units = {"lesion": sample.group, "image": np.arange(len(sample.group))}
        for unit, names in units.items():
            weights = lesion_weights(names, resamples=200, seed=number)
            low, high = interval(metric(sample.label, sample.methods[0], weights))
            covered[unit] += low <= truth <= high
    least, most = tolerated()
    assert least <= covered["lesion"] <= most
    assert covered["image"] < binom.ppf(1e-6, TRIALS, 0.95)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_auroc"])
def test_intervals_of_a_difference_hold(name, population, trials):
    metric = METRICS[name]
    one, two = (metric(population.label, method)[0] for method in population.methods)
    covered = 0
    for number, sample in enumerate(trials):
        weights = lesion_weights(sample.group, resamples=200, seed=number)
        samples = [metric(sample.label, method, weights) for method in sample.methods]
        found = paired_difference(*samples, 0.0)
        covered += found.low <= one - two <= found.high
    least, most = tolerated()
    assert least <= covered <= most


@pytest.mark.parametrize("wanted", [500, 3000])
def test_intervals_of_the_labels_needed_hold(wanted):
    """Errors of the same lesions at six budgets; whether a lesion is hard, most budgets share.

    A refusal counts as a miss.
    """
    law = PowerLaw(2.0, 0.35, 0.05)
    budgets = np.array([60, 150, 300, 600, 1500, 6000])
    limits = ndtri(law(budgets))
    rng, lesions, covered = np.random.default_rng(2), 800, 0
    weights = lesion_weights(np.arange(lesions), resamples=200, seed=0)
    for _ in range(TRIALS):
        hard = 0.8 * rng.normal(size=(lesions, 1)) + 0.6 * rng.normal(size=(lesions, len(budgets)))
        samples = weights @ (hard < limits) / lesions
        found = labels_needed(budgets, samples, float(law(wanted)))
        covered += isinstance(found, LabelsNeeded) and found.low <= wanted <= found.high
    least, most = tolerated()
    assert least <= covered <= most
