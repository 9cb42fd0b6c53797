import random

import numpy as np
import pytest
import timm
import torch

from featkit.backbones import load_backbone
from featkit.backbones._weights import weights_sha256
from featkit.errors import BackboneError, UsageError


def test_is_ready_to_extract():
    backbone = load_backbone("timm:test_resnet", random_weights=True)
    pixels = torch.randint(0, 256, (3, 3, 160, 160), dtype=torch.uint8)
    with torch.no_grad():
        features = backbone.features(pixels)
    assert features.shape == (3, backbone.dimension)
    assert not any(module.training for module in backbone.network.modules())
    assert all(parameter.requires_grad for parameter in backbone.network.parameters())
    assert backbone.random_weights
    assert backbone.architecture == "test_resnet"


@pytest.mark.parametrize(
    ("spec", "resolved"),
    [
        ("test_resnet", "timm:test_resnet.r160_in1k"),
        ("timm:test_resnet", "timm:test_resnet.r160_in1k"),
        ("resnet18.tv_in1k", "timm:resnet18.tv_in1k"),
        ("squeezenet1_1", "torchvision:squeezenet1_1.IMAGENET1K_V1"),
        ("torchvision:resnet18.DEFAULT", "torchvision:resnet18.IMAGENET1K_V1"),
    ],
)
def test_a_name_is_looked_up_and_completed(spec, resolved):
    assert load_backbone(spec, random_weights=True).spec == resolved


def test_random_weights_depend_on_the_seed_alone():
    def sha(seed):
        return load_backbone("timm:test_vit", random_weights=True, seed=seed).weights_sha256

    first = sha(1)
    torch.manual_seed(99)
    assert sha(1) == first
    assert sha(2) != first


@pytest.mark.parametrize("spec", ["timm:test_vit", "torchvision:squeezenet1_1"])
def test_the_processs_own_random_numbers_go_on_undisturbed(spec):
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    expected = torch.rand(3), np.random.rand(3), random.random()
    torch.manual_seed(5)
    np.random.seed(5)
    random.seed(5)
    load_backbone(spec, random_weights=True, seed=1)
    torch.testing.assert_close(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])
    assert random.random() == expected[2]


def test_nothing_is_printed(capfd, caplog):
    load_backbone("torchvision:googlenet", random_weights=True, image_size=64)
    load_backbone("timm:vit_tiny_patch16_224", random_weights=True, image_size=64)
    assert capfd.readouterr() == ("", "")
    assert not caplog.records


def test_every_tensor_counts_in_the_fingerprint():
    backbone = load_backbone("timm:test_resnet", random_weights=True)
    network = backbone.network
    assert weights_sha256(network) == backbone.weights_sha256
    for name in ["conv1.0.weight", "bn1.running_mean"]:
        tensor = network.state_dict()[name].view(-1)
        before = tensor[0].item()
        tensor[0] += 1
        assert weights_sha256(network) != backbone.weights_sha256
        tensor[0] = before
    assert weights_sha256(network) == backbone.weights_sha256
    assert weights_sha256(network.double()) != backbone.weights_sha256


def test_fingerprint_depends_on_preprocessing():
    shas = {
        load_backbone("timm:test_resnet", random_weights=True, image_size=size).fingerprint
        for size in (None, 96, 128)
    }
    assert len(shas) == 3


def test_a_transformer_is_fitted_to_another_size():
    backbone = load_backbone("timm:test_vit", random_weights=True, image_size=96, seed=2)
    at_own_size = load_backbone("timm:test_vit", random_weights=True, seed=2)
    # timm's other way to the same: positions interpolated in each forward pass.
    network = timm.create_model("test_vit", num_classes=0, dynamic_img_size=True).eval()
    network.load_state_dict(at_own_size.network.state_dict())
    x = torch.randn(2, 3, 96, 96)
    with torch.no_grad():
        torch.testing.assert_close(backbone.network(x), network(x), atol=1e-5, rtol=1e-4)
    assert backbone.preprocessing.crop == (96, 96)


@pytest.mark.parametrize(
    ("spec", "size"),
    [
        ("timm:gmixer_24_224", 128),
        ("timm:test_vit", 50),
        ("timm:vit_tiny_patch16_224", 100),
        ("torchvision:vit_b_32", 128),
        ("torchvision:squeezenet1_1", 8),
        ("timm:test_vit", 1),
    ],
)
def test_a_size_that_the_network_cannot_take(spec, size):
    with pytest.raises(BackboneError, match=f"images of {size} .*does not take this size"):
        load_backbone(spec, random_weights=True, image_size=size)


def test_a_size_of_nothing():
    with pytest.raises(UsageError, match="image size 0"):
        load_backbone("timm:test_vit", random_weights=True, image_size=0)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("resnet5O", r"unknown backbone resnet5O: .*near ones are resnet50.*backbones resnet50`"),
        ("timm:resnet18.a1_in2k", r"near ones are .*resnet18\.a1_in1k"),
        ("torchvision:alexnett", r"near ones are alexnet"),
        ("torchvision:alexnet.V9", r"near ones are alexnet\.IMAGENET1K_V1"),
        ("torchvision:maskrcnn_resnet50_fpn", r"unknown backbone"),
        ("featkit:huge", r"unknown backbone featkit:huge"),
        ("siglip", r"no such name\. See `featkit backbones siglip`"),
        ("qqqqqqqq", r"no such name\. See `featkit backbones PATTERN`"),
        ("keras:resnet50", r"no source keras\. Put one of these .*: timm, torchvision, featkit"),
        ("timm:", r"unknown backbone timm:"),
        ("", r"unknown backbone \(empty name\)"),
        ("hf-hub:resnet50", r"unknown backbone hf-hub:resnet50"),
        ("no/such/folder", r"cannot load local-dir:no/such/folder: no such folder"),
    ],
)
def test_an_unknown_name_gets_near_ones_and_a_remedy(spec, message):
    with pytest.raises(BackboneError, match=message):
        load_backbone(spec)


def test_random_weights_are_never_a_fallback():
    with pytest.raises(BackboneError, match="publishes no weights for it"):
        load_backbone("timm:vit_giant_patch14_224")


def test_a_network_that_gives_no_vector_says_so(monkeypatch):
    from timm.models import VisionTransformer

    monkeypatch.setattr(VisionTransformer, "pool", lambda self, x: x)
    with pytest.raises(BackboneError, match=r"not give one vector .* Name a pooling"):
        load_backbone("timm:test_vit", random_weights=True)


def test_who_decodes():
    plain, gpu = (load_backbone("featkit:tiny", decoder=decoder) for decoder in ("cpu", "gpu"))
    assert (plain.preprocessing.decoder, gpu.preprocessing.decoder) == ("cpu", "gpu")
    assert plain.fingerprint != gpu.fingerprint
    with pytest.raises(UsageError, match=r"--decoder tpu: .* Use cpu or gpu"):
        load_backbone("featkit:tiny", decoder="tpu")


def test_a_gpu_has_not_every_filter(monkeypatch):
    monkeypatch.setattr("featkit.backbones.preprocessing._OF_TORCH", ())
    with pytest.raises(BackboneError, match=r"resized by \w+, for which .* --decoder cpu"):
        load_backbone("featkit:tiny", decoder="gpu")
