"""A data set's own mean and deviation."""

from dataclasses import replace

import numpy as np
import pytest

from featkit.backbones import load_backbone, normalised_by, normalised_with
from featkit.data import ArrayImages, FileImages, synthetic_dataset
from featkit.errors import DataError


@pytest.fixture(scope="module")
def tiny():
    return load_backbone("featkit:tiny", image_size=32)


@pytest.fixture(scope="module")
def sample():
    return synthetic_dataset(images=60, size=48)


def test_they_are_those_of_all_pixels(tiny, sample):
    pixels = np.stack([tiny.preprocessing(sample.images.read(row)) for row in range(len(sample))])
    own = normalised_by(tiny, sample, workers=2)
    flat = pixels.reshape(-1, 3) / 255
    np.testing.assert_allclose(own.preprocessing.mean, flat.mean(axis=0), atol=6e-5)
    np.testing.assert_allclose(own.preprocessing.std, flat.std(axis=0), atol=6e-5)


def test_they_are_part_of_the_fingerprint_and_nothing_else_changes(tiny, sample):
    own = normalised_by(tiny, sample)
    assert own.fingerprint != tiny.fingerprint
    assert own.weights_sha256 == tiny.weights_sha256
    assert own.network is tiny.network
    before, after = tiny.preprocessing, own.preprocessing
    assert replace(after, mean=before.mean, std=before.std) == before


def test_they_do_not_depend_on_labels_or_threads(tiny, sample):
    unlabelled = replace(sample, label=np.full(len(sample), -1, dtype=np.int16))
    first = normalised_by(tiny, sample, workers=1)
    again = normalised_by(tiny, unlabelled, workers=3)
    assert first.fingerprint == again.fingerprint


def test_inputs_are_normalised_by_them(tiny, sample):
    import torch

    own = normalised_by(tiny, sample)
    pixels = np.stack([tiny.preprocessing(sample.images.read(row)) for row in range(len(sample))])
    inputs = own.normalise(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))
    np.testing.assert_allclose(inputs.mean(dim=(0, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(inputs.std(dim=(0, 2, 3)), 1, atol=1e-3)


def test_given_numbers_give_the_same_backbone(tiny, sample):
    own = normalised_by(tiny, sample)
    again = normalised_with(tiny, own.preprocessing.mean, own.preprocessing.std)
    assert again.fingerprint == own.fingerprint


def test_images_that_cannot_be_read_are_left_out(tiny, sample, tmp_path):
    paths = []
    for row in range(4):
        paths.append(tmp_path / f"{row}.png")
        sample.images.read(row).save(paths[-1])
    part = sample.select(np.arange(4))
    whole = normalised_by(tiny, replace(part, images=FileImages(paths)))
    missing = normalised_by(
        tiny, replace(sample.select(np.arange(5)), images=FileImages([*paths, None]))
    )
    assert whole.preprocessing == missing.preprocessing
    with pytest.raises(DataError, match="no readable image"):
        normalised_by(tiny, replace(part, images=FileImages([None] * 4)))


def test_one_colour_cannot_be_normalised(tiny, sample):
    part = sample.select(np.arange(2))
    grey = ArrayImages(np.full((2, 32, 32, 3), 128, dtype=np.uint8))
    with pytest.raises(DataError, match="the same in every pixel"):
        normalised_by(tiny, replace(part, images=grey))
