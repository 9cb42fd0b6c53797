import pickle

import numpy as np
import pytest
import torch

from featkit.data import load_dataset
from featkit.features._trial import sample_of, trial_of

CPU = torch.device("cpu")


@pytest.mark.parametrize(("images", "tried"), [(255, 0), (256, 4), (640, 10), (100_000, 32)])
def test_one_image_in_so_many_up_to_a_batch(fakes, images, tried):
    sample = sample_of(fakes.dataset(images), 3, CPU)
    trial = trial_of(sample, fakes.backbone().preprocessing, CPU)
    assert trial.pixels.shape == trial.reference.shape == (tried, 16, 16, 3)
    assert trial.work == 3 * images


def test_images_come_from_all_over_and_broken_ones_do_not_count(fakes):
    dataset = fakes.dataset(400, broken={0: "0 bytes", 399: "0 bytes"})
    preprocessing = fakes.backbone().preprocessing
    trial = trial_of(sample_of(dataset, 1, CPU), preprocessing, CPU)
    expected = [preprocessing(dataset.images.read(row)) for row in (79, 159, 239, 319)]
    np.testing.assert_array_equal(trial.pixels, expected)
    close = trial.reference.int() - trial.pixels.int()
    assert close.abs().max() <= 1


def test_files_are_held_so_that_another_machine_can_try_them(fakes, tmp_path):
    folder = fakes.photos(tmp_path / "images", 256)
    preprocessing = fakes.backbone().preprocessing
    here = sample_of(load_dataset(f"folder:{folder}"), 1, CPU)
    for file in folder.rglob("*.jpg"):
        file.unlink()
    there = pickle.loads(pickle.dumps(here))
    assert len(trial_of(there, preprocessing, CPU).pixels) == 4
