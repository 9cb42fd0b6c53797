"""Features without a file are those that `extract` writes."""

import numpy as np
import pytest
import torch

from featkit.backbones import load_backbone
from featkit.data import dataset_of, load_dataset
from featkit.errors import UsageError
from featkit.features import FeatureStream, extract


@pytest.fixture(scope="module")
def dataset():
    return load_dataset("synthetic:images=70,size=40")


@pytest.fixture(scope="module")
def backbone():
    return load_backbone("featkit:tiny")


def streamed(stream, dataset, **options):
    found = list(stream.batches(dataset, **options))
    assert [row for batch in found for row in batch.rows] == list(range(len(dataset)))
    return np.concatenate([batch.features for batch in found]), found


@pytest.mark.parametrize("views", [1, 3])
@pytest.mark.parametrize("precision", ["fp32", "auto"])
def test_equals_what_extract_writes(dataset, backbone, tmp_path, views, precision):
    options = {"device": "cpu", "precision": precision, "views": views, "batch_size": 16}
    store = extract(dataset, backbone, tmp_path / "f.h5", **options)
    with FeatureStream(backbone, **options) as stream:
        found, _ = streamed(stream, dataset)
    expected = store.numpy(views="all").reshape(len(dataset), views, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_the_pixels_are_what_the_network_sees(dataset, backbone):
    """The oracle is a fresh forward pass in fp32, image by image."""
    with FeatureStream(backbone, device="cpu", precision="fp32", batch_size=8) as stream:
        found, batches = streamed(stream, dataset, pixels=True)
        again = stream.of_pixels(batches[0].pixels[:, None])
    pixels = np.concatenate([batch.pixels for batch in batches])
    for row in range(0, len(dataset), 9):
        image = backbone.preprocessing(np.array(dataset.images.read(row)))
        np.testing.assert_array_equal(pixels[row], image)
        with torch.inference_mode():
            exact = backbone.features(torch.from_numpy(image).permute(2, 0, 1)[None])[0].numpy()
        np.testing.assert_allclose(found[row, 0], exact, atol=1e-4)
    np.testing.assert_allclose(again, found[:8], atol=1e-5)


def test_a_stream_is_used_again_and_again(dataset, backbone):
    with FeatureStream(backbone, device="cpu", precision="fp32") as stream:
        whole, _ = streamed(stream, dataset)
        part, _ = streamed(stream, dataset.select(np.arange(40, 50)))
        assert list(stream.batches(dataset_of([]))) == []
        first = next(stream.batches(dataset))  # given up in the middle
        again, _ = streamed(stream, dataset)
    np.testing.assert_allclose(part, whole[40:50], atol=1e-5)
    np.testing.assert_array_equal(again, whole)
    np.testing.assert_array_equal(first.features, whole[: len(first.rows)])


def test_an_image_that_fails_is_told(dataset, backbone, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\nno")
    dataset.images.read(0).save(tmp_path / "good.png")
    given = dataset_of([tmp_path / "good.png", tmp_path / "bad.png", tmp_path / "none.png"])
    with FeatureStream(backbone, device="cpu") as stream:
        (batch,) = stream.batches(given)
    assert batch.reason[0] == "" and all(batch.reason[1:])
    assert np.isfinite(batch.features[0]).all() and np.isnan(batch.features[1:]).all()


def test_a_device_that_is_not_there(backbone):
    with pytest.raises(UsageError, match="cuda"):
        FeatureStream(backbone, device="cuda:77")
