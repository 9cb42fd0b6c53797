from __future__ import annotations

from dataclasses import replace

import pytest

from featkit.duplicates.evidence import (
    LARGEST_ZOOM,
    LEAST_CORRELATION,
    LEAST_INLIERS,
    LEAST_OVERLAP,
    LEAST_SPREAD,
    NOTHING,
    Evidence,
)

ENOUGH = Evidence(
    inliers=LEAST_INLIERS,
    correlation=LEAST_CORRELATION,
    overlap=LEAST_OVERLAP,
    spread=LEAST_SPREAD,
    scale=LARGEST_ZOOM,
    rotation=0,
    mirrored=False,
)


def test_enough_is_enough_and_nothing_is_not():
    assert ENOUGH.confirmed
    assert not NOTHING.confirmed


@pytest.mark.parametrize(
    "lack",
    [
        {"inliers": LEAST_INLIERS - 1},
        {"correlation": LEAST_CORRELATION - 0.01},
        {"overlap": LEAST_OVERLAP - 0.01},
        {"spread": LEAST_SPREAD - 0.1},
        {"scale": LARGEST_ZOOM + 0.1},
        {"scale": 1 / LARGEST_ZOOM - 0.01},
    ],
)
def test_each_condition_is_needed(lack):
    assert not replace(ENOUGH, **lack).confirmed


def test_strength_knows_no_debt():
    assert replace(ENOUGH, correlation=-0.9).strength == 0
    assert replace(ENOUGH, inliers=100).strength > ENOUGH.strength
