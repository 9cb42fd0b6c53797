from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from featkit.backbones import load_backbone
from featkit.data import ArrayImages, Dataset, FileImages
from featkit.errors import UsageError
from featkit.features import turned_features


@pytest.fixture(scope="module")
def tiny():
    return load_backbone("featkit:tiny", image_size=32)


@pytest.fixture
def dataset():
    pixels = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    return Dataset(
        name="noise",
        images=ArrayImages(pixels),
        image_id=np.array([f"I{row}" for row in range(5)]),
        label=np.zeros(5, dtype=np.int16),
        group=np.array([f"L{row}" for row in range(5)]),
        classes=("a",),
    )


def features_of(backbone, image: Image.Image):
    import torch

    pixels = torch.from_numpy(backbone.preprocessing(image)).permute(2, 0, 1)[None]
    with torch.no_grad():
        return backbone.features(pixels)[0].numpy()


def test_views_are_those_of_pillow(dataset, tiny):
    found = turned_features(dataset, tiny, device="cpu", workers=1)
    assert found.features.shape == (5, 8, tiny.dimension)
    assert found.features.dtype == np.float32
    turns = [None, *(Image.Transpose[f"ROTATE_{angle}"] for angle in (90, 180, 270))]
    for row in range(5):
        for view in range(8):
            image = dataset.images.read(row)
            if view >= 4:
                image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
            if turns[view % 4] is not None:
                image = image.transpose(turns[view % 4])
            expected = features_of(tiny, image)
            assert found.features[row, view] == pytest.approx(expected, abs=1e-4)


def test_an_input_that_is_not_square_is_never_laid_on_its_side(dataset, tiny):
    wide = replace(tiny, preprocessing=replace(tiny.preprocessing, resize=(32, 48), crop=(32, 48)))
    found = turned_features(dataset, wide, device="cpu", workers=1)
    assert found.features.shape == (5, 4, tiny.dimension)
    half_turn = dataset.images.read(0).transpose(Image.Transpose.ROTATE_180)
    assert found.features[0, 1] == pytest.approx(features_of(wide, half_turn), abs=0.02)


def test_images_that_cannot_be_read_have_a_reason_and_no_features(dataset, tiny, tmp_path):
    for row in range(4):
        dataset.images.read(row).save(tmp_path / f"{row}.png")
    paths = [tmp_path / f"{row}.png" for row in range(4)]
    (tmp_path / "1.png").write_bytes(b"?")
    broken = replace(dataset, images=FileImages([*paths, None]))
    found = turned_features(broken, tiny, device="cpu", workers=1)
    assert found.reason.tolist() == ["", "not an image", "", "", "file not found"]
    assert not found.features[[1, 4]].any()
    assert found.features[[0, 2, 3]].any(axis=(1, 2)).all()


def test_an_unknown_device_is_refused(dataset, tiny):
    with pytest.raises(UsageError, match="--device tpu"):
        turned_features(dataset, tiny, device="tpu")


def test_a_gpu_decodes_nothing_here(dataset):
    with pytest.raises(UsageError, match="the gpu decodes: they are turned on the processor"):
        turned_features(dataset, load_backbone("featkit:tiny", decoder="gpu"))
