import pickle
import random

import numpy as np
import pytest
import torch
from PIL import Image

from featkit.finetuning import AUGMENTATIONS
from featkit.finetuning._augmentation import Augmentation
from featkit.finetuning.recipe import STEPS


@pytest.fixture
def image():
    rng = np.random.default_rng(3)
    return Image.fromarray(rng.integers(0, 256, (12, 15, 3), dtype=np.uint8))


def vary(steps, preprocessing, image, seed):
    random.seed(seed)
    torch.manual_seed(seed)
    return np.array(Augmentation(steps, preprocessing)(image))


def test_no_steps_are_the_preprocessings_own_crop_bit_for_bit(fakes, image):
    preprocessing = fakes.preprocessing()
    for size in ((12, 15), (20, 12), (10, 10), (7, 31)):
        photo = image.resize(size)
        resized = preprocessing.resized(photo)
        found = np.array(Augmentation((), preprocessing)(resized))
        np.testing.assert_array_equal(found, preprocessing(photo))


@pytest.mark.parametrize("level", AUGMENTATIONS)
@pytest.mark.parametrize("crop", [(10, 10), (8, 10)])
def test_every_level_gives_the_networks_size(fakes, image, level, crop):
    preprocessing = fakes.preprocessing(resize=(12, 12), crop=crop)
    for seed in range(5):
        found = vary(AUGMENTATIONS[level], preprocessing, image, seed)
        assert found.shape == (*crop, 3)
        assert found.dtype == np.uint8


@pytest.mark.parametrize("level", [level for level in AUGMENTATIONS if level != "none"])
def test_seeds_decide(fakes, image, level):
    preprocessing = fakes.preprocessing()
    found = [vary(AUGMENTATIONS[level], preprocessing, image, seed) for seed in range(6)]
    again = [vary(AUGMENTATIONS[level], preprocessing, image, seed) for seed in range(6)]
    np.testing.assert_array_equal(found, again)
    assert len({one.tobytes() for one in found}) == 6


@pytest.mark.parametrize("step", STEPS)
def test_every_step_does_something_and_is_one_of_the_known(fakes, image, step):
    preprocessing = fakes.preprocessing()
    plain = vary((), preprocessing, image, 0)
    assert any((vary((step,), preprocessing, image, seed) != plain).any() for seed in range(20))


def test_flips_and_turns_are_those_of_the_square(fakes, image):
    """On a square image, they give the eight symmetries of the plain crop and nothing else."""
    preprocessing = fakes.preprocessing(resize=10)
    square = image.resize((10, 10))
    plain = np.array(square)
    turned = [np.rot90(plain, quarter) for quarter in range(4)]
    expected = {np.ascontiguousarray(v).tobytes() for t in turned for v in (t, t[:, ::-1])}
    found = {
        vary(("hflip", "quarter-turns"), preprocessing, square, seed).tobytes()
        for seed in range(80)
    }
    assert found == expected


def test_a_network_of_oblong_input_is_turned_by_half_only(fakes, image):
    preprocessing = fakes.preprocessing(resize=(8, 10), crop=(8, 10))
    oblong = image.resize((10, 8))
    plain = np.array(oblong)
    found = {vary(("quarter-turns",), preprocessing, oblong, seed).tobytes() for seed in range(40)}
    assert found == {plain.tobytes(), np.ascontiguousarray(plain[::-1, ::-1]).tobytes()}


def test_corners_that_a_rotation_invents_have_the_mean_colour(fakes):
    preprocessing = fakes.preprocessing(resize=10)
    black = Image.new("RGB", (10, 10))
    found = np.stack([vary(("rotation",), preprocessing, black, seed) for seed in range(10)])
    assert {tuple(pixel) for pixel in found.reshape(-1, 3)} >= {(0, 0, 0), (128, 102, 76)}


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "lanczos", "nearest"])
def test_crops_with_every_interpolation(fakes, image, interpolation):
    preprocessing = fakes.preprocessing(interpolation=interpolation)
    assert vary(("crop",), preprocessing, image, 1).shape == (10, 10, 3)


def test_it_crosses_to_processes_that_are_not_forked(fakes, image):
    preprocessing, steps = fakes.preprocessing(), AUGMENTATIONS["heavy"]
    augmentation = pickle.loads(pickle.dumps(Augmentation(steps, preprocessing)))
    random.seed(5)
    torch.manual_seed(5)
    np.testing.assert_array_equal(
        np.array(augmentation(image)), vary(steps, preprocessing, image, 5)
    )
