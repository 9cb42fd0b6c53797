import json
from dataclasses import replace

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from timm.data import create_transform, resolve_data_config

from featkit.backbones import Preprocessing, load_backbone
from featkit.backbones._timm_network import _preprocessing
from featkit.errors import BackboneError

PLAIN = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.25, 0.3)}


def normalised(preprocessing, image):
    """What the network sees of the reference, (3, H, W)."""
    pixels = torch.from_numpy(preprocessing.by_pillow(image)).permute(2, 0, 1).float() / 255
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    return (pixels - mean) / std


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("pct", [0.875, 0.9, 0.95, 1.0, 1.15])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_equals_timms_transform(mode, pct, interpolation, pictures):
    config = {
        "input_size": (3, 64, 64),
        "crop_pct": pct,
        "crop_mode": mode,
        "interpolation": interpolation,
        **PLAIN,
    }
    ours, theirs = _preprocessing("x", config), create_transform(**config)
    for image in pictures:
        torch.testing.assert_close(normalised(ours, image), theirs(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize("mode", ["squash", "border"])
def test_equals_timms_transform_for_an_input_that_is_not_square(mode, pictures):
    config = {
        "input_size": (3, 96, 64),
        "crop_pct": 0.95,
        "crop_mode": mode,
        "interpolation": "bicubic",
        **PLAIN,
    }
    ours, theirs = _preprocessing("x", config), create_transform(**config)
    for image in pictures:
        torch.testing.assert_close(normalised(ours, image), theirs(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "name",
    [
        "resnet50.a1_in1k",
        "mobilenetv2_100.ra_in1k",
        "vit_base_patch16_224.augreg2_in21k_ft_in1k",
        "mixer_b16_224.goog_in21k_ft_in1k",
        "vit_small_patch14_dinov2.lvd142m",
        "inception_v3.tf_in1k",
        "deepseek_vit_412m.deepseek_v4_1_flash",
        "coat_lite_medium_384.in1k",
    ],
)
def test_a_published_network_gets_its_own_transform(name, pictures):
    try:
        config = timm.get_pretrained_cfg(name).to_dict()
    except RuntimeError:
        pytest.skip("the installed timm does not have it")
    theirs = create_transform(**resolve_data_config(pretrained_cfg=config))
    ours = _preprocessing(name, resolve_data_config(pretrained_cfg=config))
    image = pictures[0]
    torch.testing.assert_close(normalised(ours, image), theirs(image), atol=1e-6, rtol=0)


@pytest.mark.parametrize(
    "name", ["squeezenet1_1", "efficientnet_b0", "resnet18", "mnasnet0_5", "regnet_y_400mf"]
)
def test_equals_torchvisions_transform(name, pictures):
    theirs = torchvision.models.get_model_weights(name).DEFAULT.transforms()
    ours = load_backbone(f"torchvision:{name}", random_weights=True).preprocessing
    for image in pictures:
        torch.testing.assert_close(normalised(ours, image), theirs(image), atol=1e-6, rtol=0)


def test_normalise_of_the_backbone_equals_timms(pictures):
    backbone = load_backbone("timm:test_resnet", random_weights=True)
    theirs = create_transform(**resolve_data_config(model=timm.create_model("test_resnet")))
    seen = backbone.preprocessing.by_pillow(pictures[0])
    pixels = torch.from_numpy(seen).permute(2, 0, 1)[None]
    torch.testing.assert_close(
        backbone.normalise(pixels)[0], theirs(pictures[0]), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize("spec", ["timm:resnet18.a1_in1k", "torchvision:resnet18"])
def test_another_size_keeps_the_share_that_is_cropped(spec):
    own = load_backbone(spec, random_weights=True).preprocessing
    other = load_backbone(spec, random_weights=True, image_size=112).preprocessing
    assert own.crop == (224, 224)
    assert other.crop == (112, 112)
    assert abs(other.resize - own.resize / 2) <= 1


def test_an_oblong_centre_crop_is_refused():
    config = {"input_size": (3, 96, 64), "crop_pct": 1.0, "crop_mode": "center", **PLAIN}
    with pytest.raises(BackboneError, match="96 × 64 px, which is not square"):
        _preprocessing("x", {**config, "interpolation": "bicubic"})


def test_other_channels_are_refused():
    config = {"input_size": (1, 64, 64), "crop_pct": 1.0, "crop_mode": "center", **PLAIN}
    with pytest.raises(BackboneError, match="1 channels"):
        _preprocessing("x", {**config, "interpolation": "bicubic"})


def test_gives_pixels_and_json(pictures):
    preprocessing = Preprocessing(72, (64, 48), "bicubic", (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    pixels = preprocessing(pictures[0])
    assert pixels.shape == (64, 48, 3)
    assert pixels.dtype == np.uint8
    assert json.loads(json.dumps(preprocessing.to_dict()))["crop"] == [64, 48]


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("pct", [0.875, 1.0, 1.15])
def test_resized_then_cropped_is_the_whole(mode, pct, pictures):
    """What augmentation starts from has the size that is asked for, and nothing cut off."""
    config = {"input_size": (3, 64, 64), "crop_pct": pct, "crop_mode": mode}
    ours = _preprocessing("x", {**config, "interpolation": "bicubic", **PLAIN})
    side = int(64 / pct)
    for image in pictures:
        resized = ours.resized(image)
        np.testing.assert_array_equal(np.array(ours.cropped(resized)), ours(image))
        assert ours.cropped(resized).shape == (64, 64, 3)
        if mode == "center":
            assert min(resized.shape[:2]) == side
            ratio = max(image.size) / min(image.size)
            assert max(resized.shape[:2]) == pytest.approx(side * ratio, abs=1)
        elif mode == "squash":
            assert resized.shape == (side, side, 3)
        else:
            assert min(resized.shape[:2]) >= min(side, 64)
            assert max(resized.shape[:2]) == max(side, 64)


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("pct", [0.875, 1.0, 1.15])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_pixels_are_pillows_but_for_rounding(mode, pct, interpolation, pictures):
    config = {"input_size": (3, 64, 64), "crop_pct": pct, "crop_mode": mode}
    ours = _preprocessing("x", {**config, "interpolation": interpolation, **PLAIN})
    assert ours.resampler == "torch"
    for image in pictures:
        apart = ours(image).astype(int) - ours.by_pillow(image)
        assert np.abs(apart).max() <= 2
        assert np.abs(apart).mean() < 0.2


@pytest.mark.parametrize("interpolation", ["lanczos", "box", "hamming", "nearest"])
def test_other_filters_are_pillows_own(interpolation, pictures):
    ours = Preprocessing(72, (64, 64), interpolation, (0.5,) * 3, (0.2,) * 3)
    assert ours.resampler == ours.to_dict()["resampler"] == "pillow"
    for image in pictures:
        np.testing.assert_array_equal(ours(image), ours.by_pillow(image))


def test_takes_pixels_as_well_as_images(pictures):
    ours = Preprocessing(72, (64, 48), "bicubic", (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    for image in pictures:
        np.testing.assert_array_equal(ours(np.array(image)), ours(image))


@pytest.mark.parametrize("mode", ["center", "squash", "border"])
@pytest.mark.parametrize("pct", [0.875, 1.0, 1.15])
@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_on_a_device_too(mode, pct, interpolation, pictures):
    config = {"input_size": (3, 64, 64), "crop_pct": pct, "crop_mode": mode}
    ours = _preprocessing("x", {**config, "interpolation": interpolation, **PLAIN})
    for image in pictures:
        planes = torch.from_numpy(np.array(image)).permute(2, 0, 1)
        two = ours.on_device(torch.stack([planes, 255 - planes]))
        assert two.shape == (2, 64, 64, 3)
        assert two.dtype == torch.uint8
        for found, original in zip(two, (image, Image.eval(image, lambda v: 255 - v)), strict=True):
            apart = found.numpy().astype(int) - ours.by_pillow(original)
            assert np.abs(apart).max() <= 1


def test_the_decoder_is_part_of_what_pixels_depend_on():
    ours = Preprocessing(72, (64, 64), "bicubic", (0.5,) * 3, (0.2,) * 3)
    assert ours.to_dict()["decoder"] == "cpu"
    assert replace(ours, decoder="gpu").to_dict() != ours.to_dict()
