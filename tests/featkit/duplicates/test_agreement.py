from __future__ import annotations

import numpy as np
import pytest

from featkit.duplicates._agreement import agreement
from featkit.duplicates._picture import Picture, picture_of

IDENTITY = np.eye(2, 3)


def test_a_picture_agrees_with_itself_however_it_is_lit(skin, shoot):
    first = picture_of(shoot(skin(0)))
    darker = picture_of(shoot(skin(0), light=0.7, gamma=1.4))
    same, lit = (agreement(first, other, IDENTITY) for other in (first, darker))
    assert same.correlation == pytest.approx(1)
    assert same.overlap == 1
    assert lit.correlation > 0.97


def test_other_skin_and_the_negative_do_not_agree(skin, shoot):
    first, other = (picture_of(shoot(skin(seed))) for seed in (0, 1))
    assert abs(agreement(first, other, IDENTITY).correlation) < 0.3
    negative = Picture(255 - first.lightness, first.valid)
    assert agreement(first, negative, IDENTITY).correlation == pytest.approx(-1, abs=1e-3)


def test_large_blobs_alone_do_not_agree():
    """Two round dark lesions in the middle of the picture are not one lesion."""
    y, x = np.mgrid[:300, :400]
    rng = np.random.default_rng(0)

    def blob():
        smooth = 180 - 100 * np.exp(-((x - 200) ** 2 + (y - 150) ** 2) / (2 * 80**2))
        rough = np.kron(rng.normal(size=(60, 80)), np.ones((5, 5)))
        pixels = (smooth + 12 * rough).clip(0, 255).astype(np.uint8)
        return Picture(pixels, np.ones_like(pixels, dtype=bool))

    first, second = blob(), blob()
    plain = np.corrcoef(first.lightness.ravel(), second.lightness.ravel())[0, 1]
    assert plain > 0.6
    assert agreement(first, second, IDENTITY).correlation < 0.3


def test_overlap_is_the_share_of_the_smaller_picture(skin, shoot):
    picture = picture_of(shoot(skin(0)))
    half = np.array([[1, 0, 200], [0, 1, 0]], dtype=float)
    assert agreement(picture, picture, half).overlap == pytest.approx(0.5, abs=0.01)
    inside = np.array([[0.5, 0, 50], [0, 0.5, 50]])
    assert agreement(picture, picture, inside).overlap == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("shift", [395, 4000])
def test_next_to_no_overlap_says_nothing(skin, shoot, shift):
    picture = picture_of(shoot(skin(0)))
    away = np.array([[1, 0, shift], [0, 1, 0]], dtype=float)
    assert agreement(picture, picture, away).correlation == 0


def test_uniform_pictures_do_not_agree():
    pixels = np.full((300, 400), 120, np.uint8)
    flat = Picture(pixels, np.ones_like(pixels, dtype=bool))
    assert agreement(flat, flat, IDENTITY).correlation == 0
