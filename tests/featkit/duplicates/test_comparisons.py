from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from featkit.data import ImageError
from featkit.duplicates._comparisons import compare_rows
from featkit.errors import DataError
from featkit.progress import NoProgress


def compared(dataset, pairs):
    return compare_rows(dataset, pairs, workers=2, progress=NoProgress())


@pytest.mark.parametrize(
    "again",
    [
        {"rotation": 90},
        {"rotation": -37, "shift": (10, -6)},
        {"mirrored": True},
        {"mirrored": True, "rotation": 140, "scale": 1.3},
        {"scale": 1.8, "rotation": 15},
        {"scale": 0.6},
        {"light": 0.75, "gamma": 1.3, "rotation": 180},
    ],
)
def test_one_lesion_is_confirmed_and_its_transform_measured(skin, shoot, make_dataset, again):
    dataset = make_dataset([shoot(skin(0)), shoot(skin(0), **again)])
    [found] = compared(dataset, [(0, 1)])
    assert found.confirmed
    assert found.mirrored == again.get("mirrored", False)
    assert found.scale == pytest.approx(1 / again.get("scale", 1), rel=0.05)
    # The second photograph is turned back.
    turn = (found.rotation + again.get("rotation", 0) + 180) % 360 - 180
    assert turn == pytest.approx(0, abs=3)


def test_other_lesions_are_not_confirmed(skin, shoot, make_dataset):
    dataset = make_dataset([shoot(skin(seed)) for seed in range(6)])
    pairs = [(one, other) for one in range(6) for other in range(one)]
    assert not any(found.confirmed for found in compared(dataset, pairs))


def test_the_order_and_company_of_pairs_change_nothing(skin, shoot, make_dataset):
    dataset = make_dataset([shoot(skin(0)), shoot(skin(0), rotation=30), shoot(skin(1))])
    forward = compared(dataset, [(0, 1), (0, 2), (1, 2)])
    assert compared(dataset, [(1, 2), (0, 1)]) == [forward[2], forward[0]]


@pytest.mark.parametrize("colour", ["black", "white", "pink"])
def test_uniform_images_prove_nothing(skin, shoot, make_dataset, colour):
    plain = Image.new("RGB", (200, 150), colour)
    dataset = make_dataset([plain, plain, shoot(skin(0))])
    assert not any(found.confirmed for found in compared(dataset, [(0, 1), (0, 2)]))


def test_a_shared_frame_and_hair_do_not_make_one_lesion(skin, shoot, make_dataset):
    """The same dark corners and the same ruler on different skin."""
    y, x = np.mgrid[:150, :200]

    def framed(seed):
        pixels = np.asarray(shoot(skin(seed))).copy()
        pixels[140:143, 20:180:8] = 30  # a ruler's marks
        pixels[np.hypot(x - 99.5, y - 74.5) > 108] = 0
        return Image.fromarray(pixels)

    dataset = make_dataset([framed(seed) for seed in range(4)])
    pairs = [(one, other) for one in range(4) for other in range(one)]
    assert not any(found.confirmed for found in compared(dataset, pairs))


def test_an_image_that_vanishes_is_named(skin, shoot, make_dataset, monkeypatch):
    dataset = make_dataset([shoot(skin(0)), shoot(skin(1))])

    def gone(row):
        raise ImageError("file not found")

    monkeypatch.setattr(dataset.images, "read", gone)
    with pytest.raises(DataError, match=r"image I0: it could be read a moment ago.*not found"):
        compared(dataset, [(0, 1)])
