import numpy as np
import pytest
import torch

from featkit.features._trial import trial_of

CPU = torch.device("cpu")


@pytest.mark.parametrize(("images", "tried"), [(255, 0), (256, 4), (640, 10), (100_000, 32)])
def test_one_image_in_so_many_up_to_a_batch(fakes, images, tried):
    trial = trial_of(fakes.dataset(images), fakes.backbone().preprocessing, 3, CPU)
    assert trial.pixels.shape == trial.reference.shape == (tried, 16, 16, 3)
    assert trial.work == 3 * images


def test_images_come_from_all_over_and_broken_ones_do_not_count(fakes):
    dataset = fakes.dataset(400, broken={0: "0 bytes", 399: "0 bytes"})
    preprocessing = fakes.backbone().preprocessing
    trial = trial_of(dataset, preprocessing, 1, CPU)
    expected = [preprocessing(dataset.images.read(row)) for row in (79, 159, 239, 319)]
    np.testing.assert_array_equal(trial.pixels, expected)
    close = trial.reference.astype(int) - trial.pixels
    assert np.abs(close).max() <= 1
