from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from featkit.duplicates._picture import SIDE, picture_of


@pytest.mark.parametrize("size", [(200, 150), (1200, 900), (30, 40), (400, 1)])
def test_every_size_becomes_one_length(size):
    picture = picture_of(Image.new("RGB", size, "pink"))
    assert max(picture.lightness.shape) == SIDE
    assert min(picture.lightness.shape) >= 1
    assert picture.valid.all()


def test_dark_corners_do_not_count_and_a_dark_lesion_does():
    pixels = np.full((150, 200, 3), 180, np.uint8)
    y, x = np.mgrid[:150, :200]
    pixels[np.hypot(x - 99.5, y - 74.5) > 105] = 5
    pixels[60:90, 80:120] = 10
    picture = picture_of(Image.fromarray(pixels))
    assert not picture.valid[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    assert picture.valid[150, 200]
    assert picture.valid.mean() > 0.8


def test_lightness_is_that_of_cie_lab():
    grey = picture_of(Image.new("RGB", (40, 30), (119, 119, 119))).lightness
    assert np.abs(grey / 255 * 100 - 50).max() < 1  # L* = 50 is sRGB 119


def test_mirrored_twice_is_as_before():
    pixels = np.random.default_rng(0).integers(0, 255, (30, 40, 3), dtype=np.uint8)
    picture = picture_of(Image.fromarray(pixels))
    assert np.array_equal(picture.mirrored.lightness, picture.lightness[:, ::-1])
    assert np.array_equal(picture.mirrored.mirrored.valid, picture.valid)
