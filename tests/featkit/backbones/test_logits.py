"""Pooling `logits`: the network as it was trained, its classifier's outputs as features."""

import pytest
import timm
import torch
import torchvision

from featkit.backbones import load_backbone
from featkit.backbones._surroundings import quiet
from featkit.errors import BackboneError


@pytest.mark.parametrize(
    ("spec", "size"),
    [("timm:vgg19", 64), ("timm:resnet50", 64), ("timm:test_vit", None)],
)
def test_timm_networks_give_their_own_logits(spec, size):
    backbone = load_backbone(spec, pooling="logits", image_size=size, random_weights=True)
    with quiet():
        network = timm.create_model(spec.partition(":")[2]).eval()
    network.load_state_dict(backbone.network.state_dict())
    x = torch.randn(1, 3, *backbone.preprocessing.crop)
    with torch.no_grad():
        torch.testing.assert_close(backbone.network(x), network(x))
    assert (backbone.dimension, backbone.pooling) == (1000, "logits")
    assert backbone.parameters == sum(p.numel() for p in network.parameters())


def test_torchvision_networks_give_their_own_logits():
    backbone = load_backbone(
        "torchvision:mobilenet_v2", pooling="logits", image_size=64, random_weights=True
    )
    network = torchvision.models.mobilenet_v2().eval()
    network.load_state_dict(backbone.network.state_dict())
    x = torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(backbone.network(x), network(x))
    assert backbone.dimension == 1000


def test_a_folder_keeps_its_classifier(folder):
    logits = load_backbone(f"local-dir:{folder}", pooling="logits")
    features = load_backbone(f"local-dir:{folder}")
    assert logits.dimension == 1000
    assert logits.fingerprint != features.fingerprint
    assert logits.parameters > features.parameters


@pytest.mark.parametrize("spec", ["timm:vit_small_patch14_dinov2", "featkit:tiny"])
def test_networks_without_a_classifier_have_no_logits(spec):
    with pytest.raises(BackboneError, match=r"with pooling logits: .*classifier"):
        load_backbone(spec, pooling="logits", random_weights=spec.startswith("timm"))
