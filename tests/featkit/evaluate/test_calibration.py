from __future__ import annotations

import numpy as np
import pytest

from featkit.evaluate import METRICS


def brute_force(label, probabilities, bins=15):
    confidence, predicted = probabilities.max(axis=1), probabilities.argmax(axis=1)
    total = 0.0
    for number in range(bins):
        inside = (confidence > number / bins) & (confidence <= (number + 1) / bins)
        if inside.any():
            accuracy = np.mean(predicted[inside] == label[inside])
            total += inside.mean() * abs(accuracy - confidence[inside].mean())
    return total


def test_equals_brute_force(case):
    found = METRICS["ece"](case.label, case.probabilities, case.weights)
    for resample, value in enumerate(found):
        label, probabilities = case.repeated(resample)
        np.testing.assert_allclose(value, brute_force(label, probabilities), rtol=1e-5, atol=1e-7)


def test_known_value():
    # Confidence 0.8 twice, right once: |0.5 - 0.8|. Confidence 0.6 once, right: |1 - 0.6|.
    probabilities = [[0.8, 0.2], [0.8, 0.2], [0.4, 0.6]]
    found = METRICS["ece"]([0, 1, 1], probabilities)
    np.testing.assert_allclose(found, [(2 * 0.3 + 0.4) / 3])


@pytest.mark.parametrize("edge", [3 / 15, 6 / 15, 10 / 15])
def test_edge_belongs_to_the_bin_below(edge):
    above = np.nextafter(edge, 1)
    rest = (1 - edge) / 5
    rows = np.array([[edge, *[rest] * 5], [above, *[rest] * 5]])
    # In one bin the gaps of opposite sign cancel; in two they add up.
    found = METRICS["ece"]([0, 1], rows)[0]
    np.testing.assert_allclose(found, ((1 - edge) + edge) / 2)
