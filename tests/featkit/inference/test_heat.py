"""Heat maps, against what they are defined by."""

import numpy as np
import pytest
import torch
from torch import nn

from featkit.backbones import load_backbone
from featkit.errors import UsageError
from featkit.heads import LightGBMHead, LinearHead, MLPHead
from featkit.inference import Heater
from featkit.inference.heat import CAM, GRAD_CAM, GRADIENT, OCCLUSION

CLASSES = 3


def trained(head, backbone, seed=0):
    """Train a head on features of noise; it has to be trained, not good."""
    rng = np.random.default_rng(seed)
    seen = rng.integers(0, 256, (30, 3, *backbone.preprocessing.crop), np.uint8)
    with torch.inference_mode():
        features = backbone.features(torch.from_numpy(seen)).float().numpy()
    return head.fit(features, np.arange(30) % CLASSES)


def given(backbone, count=3, seed=1):
    rng = np.random.default_rng(seed)
    high, wide = backbone.preprocessing.crop
    return rng.integers(0, 256, (count, high, wide, 3), np.uint8)


def features_of(backbone, pixels):
    with torch.inference_mode():
        planes = torch.from_numpy(pixels).permute(0, 3, 1, 2)
        return backbone.features(planes).float().numpy()


@pytest.mark.parametrize(
    "spec",
    ["featkit:tiny", "timm:resnet18", "timm:mobilenetv2_050", "torchvision:resnet18"],
)
@pytest.mark.parametrize("classes", [2, 3])
def test_a_class_activation_map_adds_up_to_the_logit(spec, classes):
    """Means over places, and a constant of the class, are logits less their mean over classes."""
    random = not spec.startswith("featkit:")
    backbone = load_backbone(spec, random_weights=random, image_size=64)
    head = LinearHead(strengths=(1e-4,))
    features = features_of(backbone, given(backbone, 24))
    head.fit(features, np.arange(24) % classes)
    pixels = given(backbone, 4, seed=2)
    heater = Heater(backbone, head)
    assert heater.way == CAM
    found = np.stack(
        [heater.maps(pixels, np.full(4, label)).maps.mean(axis=(1, 2)) for label in range(classes)],
        axis=1,
    )
    log_p = np.log(head.predict_proba(features_of(backbone, pixels)))
    # What is missing is a constant of each class, the same for all images.
    constants = (log_p - log_p.mean(axis=1, keepdims=True)) - found
    np.testing.assert_allclose(constants, np.broadcast_to(constants[:1], found.shape), atol=2e-4)
    assert found.std(axis=0).min() > 10 * constants.std(axis=0).max()


def test_grad_cam_by_hand():
    """The oracle is autograd on the last maps: the mean slope of each channel weighs it."""
    backbone = load_backbone("timm:resnet18", random_weights=True, image_size=64)
    head = trained(MLPHead(hidden=8, max_epochs=3), backbone)
    pixels = given(backbone)
    heater = Heater(backbone, head)
    heat = heater.maps(pixels, np.array([0, 1, 2]))
    assert heat.way == heater.way == GRAD_CAM and not heat.exact
    network = backbone.network
    inputs = backbone.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    maps = network.forward_features(inputs).detach().requires_grad_()
    pooled = maps.mean(dim=(2, 3))
    scaled = (pooled - torch.tensor(head.mean_)) / torch.tensor(head.scale_)
    hidden = torch.relu(
        scaled @ torch.tensor(head.hidden_coef_) + torch.tensor(head.hidden_intercept_)
    )
    logits = hidden @ torch.tensor(head.coef_) + torch.tensor(head.intercept_)
    centred = logits - logits.mean(dim=1, keepdim=True)
    chosen = centred[torch.arange(3), torch.tensor([0, 1, 2])].sum()
    slopes = torch.autograd.grad(chosen, maps)[0].mean(dim=(2, 3), keepdim=True)
    expected = (slopes * maps).sum(dim=1).detach().numpy()
    np.testing.assert_allclose(heat.maps, expected, rtol=1e-3, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    "spec", ["timm:vit_tiny_patch16_224", "timm:deit_tiny_distilled_patch16_224"]
)
@pytest.mark.parametrize("pooling", [None, "avg"])
def test_tokens_of_a_transformer(spec, pooling):
    """A map of patches in the image's order: what changes in one corner shows in that corner."""
    if pooling and "distilled" in spec:
        pytest.skip("timm's distilled networks pool in their own way")
    backbone = load_backbone(spec, random_weights=True, pooling=pooling)
    head = trained(LinearHead(strengths=(1e-3,)), backbone)
    heat = Heater(backbone, head).maps(given(backbone, 2), np.array([0, 1]))
    assert heat.way in (GRADIENT, CAM) and heat.maps.shape == (2, 14, 14)
    assert np.isfinite(heat.maps).all() and (heat.maps.std(axis=(1, 2)) > 0).all()


class Corner(nn.Module):
    """Features that depend on the upper left quarter alone."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))

    def forward(self, images):
        quarter = images[:, :, : images.shape[2] // 2, : images.shape[3] // 2]
        return self.scale * quarter.mean(dim=(2, 3))


def test_occlusion_shows_what_trees_look_at():
    """Trees have no gradient: parts are made grey in turn, and the rest of the image is cold."""
    from dataclasses import replace

    backbone = replace(load_backbone("featkit:tiny"), network=Corner(), dimension=3)
    rng = np.random.default_rng(0)
    side = backbone.preprocessing.crop[0]
    pixels = np.full((60, side, side, 3), 245, np.uint8)
    bright = rng.integers(200, 250, 60).astype(np.uint8)
    pixels[:] = bright[:, None, None, None]
    pixels[0], bright[0] = 250, 250
    label = (bright >= 240).astype(int)
    pixels[:, side // 2 :] = rng.integers(0, 256, (60, side - side // 2, side, 3))
    head = LightGBMHead(max_rounds=20, feature_fraction=1.0).fit(
        features_of(backbone, pixels), label
    )
    heater = Heater(backbone, head)
    assert heater.way == OCCLUSION
    maps = heater.maps(pixels[:1], np.array([1])).maps[0]
    inside = maps[: side // 3, : side // 3]
    assert inside.mean() > 0
    assert np.abs(maps[side * 3 // 4 :]).max() == 0 and np.abs(maps[:, side * 3 // 4 :]).max() == 0


def test_networks_whose_channels_come_last_have_a_map_too():
    """The oracle is the network's own last normalised maps, whose means are its features."""
    backbone = load_backbone("timm:swin_tiny_patch4_window7_224", random_weights=True)
    head = trained(LinearHead(strengths=(1e-3,)), backbone)
    pixels = given(backbone, 1)
    heat = Heater(backbone, head).maps(pixels, np.array([2]))
    with torch.inference_mode():
        inputs = backbone.normalise(torch.from_numpy(pixels).permute(0, 3, 1, 2))
        places = backbone.network.forward_features(inputs)[0].double().numpy()
    weights = (head.coef_ - head.coef_.mean(axis=0)) / head.scale_
    assert heat.way == CAM
    np.testing.assert_allclose(heat.maps[0], places @ weights[2], atol=1e-4)
    rows = features_of(backbone, given(backbone, 12, seed=5))
    mlp = MLPHead(hidden=4, max_epochs=2).fit(rows, np.arange(12) % 3)
    found = Heater(backbone, mlp).maps(pixels, np.array([1]))
    assert found.way == GRADIENT and found.maps.shape == heat.maps.shape


def test_a_class_that_the_head_does_not_know():
    backbone = load_backbone("featkit:tiny", image_size=32)
    head = trained(LinearHead(), backbone)
    with pytest.raises(UsageError, match="trained on no image of it"):
        Heater(backbone, head).maps(given(backbone, 1), np.array([5]))


def test_without_captum(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "captum.attr", None)
    backbone = load_backbone("featkit:tiny", image_size=32)
    head = trained(LightGBMHead(max_rounds=2), backbone)
    with pytest.raises(UsageError, match=r"pip install 'featkit\[explain\]'"):
        Heater(backbone, head).maps(given(backbone, 1), np.array([0]))
