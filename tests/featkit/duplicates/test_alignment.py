from __future__ import annotations

import numpy as np
import pytest

from featkit.duplicates._alignment import align
from featkit.duplicates._keypoints import Keypoints


def moved(rotation: float, scale: float, *, noise: int = 0) -> tuple[Keypoints, Keypoints]:
    """Return keypoints and the ones that a counter-clockwise turn and a zoom carry them from."""
    rng = np.random.default_rng(5)
    source = rng.uniform(0, 400, (60, 2))
    angle = np.radians(rotation)
    turn = scale * np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    target = source @ turn.T + (12, -7)
    target[:noise] = rng.uniform(0, 400, (noise, 2))
    descriptors = rng.integers(0, 200, (60, 128), dtype=np.uint8)
    return (
        Keypoints(target.astype(np.float32), descriptors, 400),
        Keypoints(source.astype(np.float32), descriptors, 400),
    )


@pytest.mark.parametrize(("rotation", "scale"), [(0, 1), (37, 1.5), (90, 0.5), (-170, 2.5)])
def test_a_known_transform_is_found_among_wrong_matches(rotation, scale):
    found = align(*moved(rotation, scale, noise=25))
    assert found is not None
    assert 35 <= found.inliers <= 38
    assert found.rotation == pytest.approx(rotation, abs=0.5)
    assert found.scale == pytest.approx(scale, rel=0.01)
    assert np.allclose(found.matrix[:, 2], (12, -7), atol=2)


def test_the_same_pair_gives_the_same_result():
    first, again = (align(*moved(20, 1.2, noise=40)) for _ in range(2))
    assert first is not None
    assert again is not None
    assert np.array_equal(first.matrix, again.matrix)


def test_spread_is_that_of_the_narrow_direction():
    first, second = moved(0, 1)
    first.points[:, 1] = second.points[:, 1] = 100  # all on a line
    found = align(first, second)
    assert found is None or found.spread < 1e-3
    wide = align(*moved(0, 1))
    assert wide is not None
    points = moved(0, 1)[0].points
    singular = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    assert wide.spread == pytest.approx(singular[-1] / np.sqrt(len(points)), rel=1e-3)


def test_few_matches_are_no_transform():
    first, second = moved(0, 1)
    few = [Keypoints(one.points[:3], one.descriptors[:3], one.width) for one in (first, second)]
    assert align(*few) is None
