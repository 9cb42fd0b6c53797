"""Every network that the toolkit names, with random weights: dimension and features.

The oracle is the library's own network with the same weights: its classifier, applied to our
features, must give its logits.
"""

import pytest
import timm
import torch
import torchvision
from torch import nn

from featkit.backbones import load_backbone
from featkit.backbones._surroundings import quiet

NETWORKS = [
    ("torchvision:alexnet", 4096, 64),
    ("timm:vgg19", 4096, 64),
    ("timm:resnet18", 512, 64),
    ("timm:resnet34", 512, 64),
    ("timm:resnet50", 2048, 64),
    ("timm:resnet101", 2048, 64),
    ("timm:resnet152", 2048, 64),
    ("timm:mobilenetv2_100", 1280, 64),
    ("timm:efficientnet_b0", 1280, 64),
    ("timm:convnext_tiny", 768, 64),
    ("timm:vit_base_patch16_224", 768, None),
    ("timm:mixer_b16_224", 768, None),
    ("timm:vit_small_patch14_dinov2", 384, 98),
]

MORE_OF_TORCHVISION = [
    ("torchvision:resnet18", 512, 64),
    ("torchvision:mobilenet_v2", 1280, 64),
    ("torchvision:mobilenet_v3_small", 1024, 64),
    ("torchvision:densenet121", 1024, 64),
    ("torchvision:googlenet", 1024, 64),
    ("torchvision:shufflenet_v2_x0_5", 1024, 64),
    ("torchvision:swin_t", 768, 64),
]


OPTIONS = {
    "timm:vit_small_patch14_dinov2": {"img_size": 98},
    "torchvision:googlenet": {"aux_logits": False, "transform_input": True},
}


def original(spec, weights):
    """The library's whole network with our weights, and its classifier (None if it has none)."""
    source, name = spec.split(":")
    with quiet(), torch.device("meta"):
        if source == "timm":
            network = timm.create_model(name, **OPTIONS.get(spec, {}))
            classifier = network.get_classifier() if network.num_classes else None
        else:
            network = torchvision.models.get_model(name, **OPTIONS.get(spec, {}))
            classifier = [m for m in network.modules() if isinstance(m, nn.Linear)][-1]
    unset = network.load_state_dict(weights, strict=False, assign=True)
    assert not unset.unexpected_keys
    if classifier is not None:
        assert {key.rpartition(".")[2] for key in unset.missing_keys} == {"weight", "bias"}
        classifier.to_empty(device="cpu").reset_parameters()
    return network.eval(), classifier


@pytest.mark.parametrize(("spec", "dimension", "size"), NETWORKS + MORE_OF_TORCHVISION)
def test_features_are_what_the_classifier_sees(spec, dimension, size):
    backbone = load_backbone(spec, random_weights=True, image_size=size)
    network, classifier = original(spec, backbone.network.state_dict())
    x = torch.randn(2, 3, *backbone.preprocessing.crop)
    with torch.no_grad():
        features, expected = backbone.network(x), network(x)
        logits = classifier(features) if classifier else features
    assert backbone.dimension == dimension
    assert features.shape == (2, dimension)
    assert features.std(dim=0).mean() > 0
    torch.testing.assert_close(logits, expected, atol=1e-4, rtol=1e-4)
    dropped = sum(p.numel() for p in classifier.parameters()) if classifier else 0
    assert backbone.parameters == sum(p.numel() for p in network.parameters()) - dropped


def test_a_network_that_ends_in_a_convolution_gives_its_pooled_input():
    backbone = load_backbone("torchvision:squeezenet1_1", random_weights=True, image_size=64)
    assert backbone.dimension == 512


def test_dinov2_has_its_own_input_size_by_default():
    from featkit.backbones import list_backbones

    (row,) = list_backbones("timm:vit_small_patch14_dinov2.lvd142m").rows
    assert (row.dimension, row.input_size) == (384, (518, 518))
