from __future__ import annotations

import numpy as np
from PIL import Image

from featkit.duplicates._keypoints import Keypoints, find_keypoints, match
from featkit.duplicates._picture import Picture, picture_of


def random_keypoints(seed: int, count: int) -> Keypoints:
    rng = np.random.default_rng(seed)
    points = rng.uniform(0, 400, (count, 2)).astype(np.float32)
    return Keypoints(points, rng.integers(0, 200, (count, 128), dtype=np.uint8), 400)


def test_skin_has_keypoints_and_a_uniform_image_has_none(skin, shoot):
    found = find_keypoints(picture_of(shoot(skin(0))))
    assert len(found.points) > 100
    none = find_keypoints(picture_of(Image.new("RGB", (200, 150), "pink")))
    assert none.points.shape == (0, 2)
    assert none.descriptors.shape == (0, 128)


def test_keypoints_keep_off_the_dark_border(skin, shoot):
    picture = picture_of(shoot(skin(0)))
    left = np.ones_like(picture.valid)
    left[:, 200:] = False
    points = find_keypoints(Picture(picture.lightness, left)).points
    assert points[:, 0].max() <= 200


def test_mirroring_equals_detecting_in_the_mirrored_picture(skin, shoot):
    picture = picture_of(shoot(skin(1)))
    mirrored, detected = find_keypoints(picture).mirrored, find_keypoints(picture.mirrored)
    distance = np.linalg.norm(mirrored.points[:, None] - detected.points, axis=2)
    near = distance < 1.5
    assert near.any(axis=1).mean() > 0.8

    def unit(values):
        return values / np.linalg.norm(values.astype(float), axis=1, keepdims=True)

    # A place may have several keypoints of different directions: the best of them must agree.
    cosine = np.where(near, unit(mirrored.descriptors) @ unit(detected.descriptors).T, -1)
    assert np.median(cosine.max(axis=1)[near.any(axis=1)]) > 0.98
    plain = np.where(
        near, unit(find_keypoints(picture).descriptors) @ unit(detected.descriptors).T, -1
    )
    assert np.median(plain.max(axis=1)[near.any(axis=1)]) < 0.9


def test_match_equals_brute_force():
    first, second = random_keypoints(0, 40), random_keypoints(1, 50)
    second.descriptors[:20] = first.descriptors[:20]
    second.descriptors[20] = first.descriptors[3]  # two are equally near: neither is clear

    def rooted(keypoints):
        values = keypoints.descriptors.astype(float)
        return np.sqrt(values / values.sum(axis=1, keepdims=True))

    distance = np.linalg.norm(rooted(first)[:, None] - rooted(second), axis=2)
    expected = []
    for row, line in enumerate(distance):
        nearest, next_nearest = np.argsort(line)[:2]
        mutual = distance[:, nearest].argmin() == row
        if mutual and line[nearest] < 0.9 * line[next_nearest]:
            expected.append((row, nearest))
    assert list(zip(*match(first, second), strict=True)) == expected
    assert {row for row, _ in expected} >= set(range(20)) - {3}
    assert 3 not in {row for row, _ in expected}


def test_too_few_keypoints_match_nothing():
    mine, theirs = match(random_keypoints(0, 1), random_keypoints(1, 5))
    assert len(mine) == len(theirs) == 0
