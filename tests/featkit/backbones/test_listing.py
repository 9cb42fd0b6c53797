import random

import pytest
import torch

from featkit.backbones import BackboneInfo, list_backbones, load_backbone, weights_at_hand
from featkit.backbones._downloads import WebFile
from featkit.errors import BackboneError, UsageError


def specs(*args, **kwargs):
    return [row.spec for row in list_backbones(*args, **kwargs).rows]


def test_recommended_ones_come_first():
    found = list_backbones(limit=5)
    assert [row.spec for row in found.rows] == [
        "featkit:tiny",
        "torchvision:alexnet.IMAGENET1K_V1",
        "timm:vgg19.tv_in1k",
        "timm:resnet18.a1_in1k",
        "timm:resnet34.a1_in1k",
    ]
    assert found.total > 1000


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("test_vit", {"timm:test_vit.r160_in1k", "timm:test_vit2.r160_in1k"}),
        ("TEST_VIT2", {"timm:test_vit2.r160_in1k"}),
        ("test_*net.r160*", {"timm:test_resnet.r160_in1k", "timm:test_byobnet.r160_in1k"}),
        ("timm:test_vit?.*", {"timm:test_vit2.r160_in1k", "timm:test_vit3.r160_in1k"}),
        ("featkit:", {"featkit:tiny"}),
    ],
)
def test_patterns_and_parts_of_names(pattern, expected):
    assert expected <= set(specs(pattern))
    for spec in specs(pattern):
        assert "test_" in spec or spec == "featkit:tiny"


def test_limit_and_total():
    everything = list_backbones("torchvision:squeezenet")
    assert everything.total == len(everything.rows) == 2
    some = list_backbones("torchvision:squeezenet", limit=1)
    assert some.total == 2
    assert some.rows == everything.rows[:1]
    assert list_backbones("squeezenet", limit=0).rows == ()


def test_nothing_matches():
    found = list_backbones("no such thing")
    assert (found.rows, found.total) == ((), 0)


def test_negative_limit():
    with pytest.raises(UsageError, match="limit -1"):
        list_backbones(limit=-1)


@pytest.mark.parametrize(
    "spec",
    [
        "timm:test_vit.r160_in1k",
        "torchvision:squeezenet1_1.IMAGENET1K_V1",
        "torchvision:googlenet.IMAGENET1K_V1",
        "torchvision:regnet_y_400mf.IMAGENET1K_V1",
    ],
)
def test_numbers_are_those_of_the_loaded_network(spec):
    (row,) = list_backbones(spec).rows
    backbone = load_backbone(spec, random_weights=True)
    assert row == BackboneInfo(
        spec=spec,
        cached=False,
        parameters=backbone.parameters,
        dimension=backbone.dimension,
        input_size=backbone.preprocessing.crop,
    )


def test_input_size_is_that_of_the_weights():
    found = list_backbones("torchvision:vit_b_16.*")
    assert {row.spec.partition(".")[2]: row.input_size for row in found.rows} == {
        "IMAGENET1K_V1": (224, 224),
        "IMAGENET1K_SWAG_E2E_V1": (384, 384),
        "IMAGENET1K_SWAG_LINEAR_V1": (224, 224),
    }


def test_a_network_that_cannot_be_built_is_listed_all_the_same(monkeypatch):
    monkeypatch.setattr("timm.models.VisionTransformer.pool", lambda self, x: x)
    (row,) = list_backbones("timm:test_vit.r160_in1k").rows
    assert row == BackboneInfo("timm:test_vit.r160_in1k", cached=False)


def test_weights_in_the_cache_are_noticed():
    spec = "torchvision:squeezenet1_1.IMAGENET1K_V1"
    place = WebFile("https://x.org/squeezenet1_1-b8a52dc0.pth")._place()
    place.parent.mkdir(parents=True)
    place.touch()
    assert list_backbones(spec).rows[0].cached
    assert weights_at_hand("squeezenet1_1.IMAGENET1K_V1")
    place.unlink()
    assert not list_backbones(spec).rows[0].cached
    assert not weights_at_hand(spec)


def test_weights_that_come_along_and_a_name_that_is_not_known():
    assert weights_at_hand("featkit:tiny")
    with pytest.raises(BackboneError, match="no_such_net"):
        weights_at_hand("no_such_net")


def test_detectors_and_segmenters_are_not_listed():
    assert list_backbones("rcnn").total == 0
    assert list_backbones("deeplab").total == 0


def test_random_numbers_go_on_undisturbed():
    torch.manual_seed(5)
    expected = torch.rand(2), random.getstate()
    torch.manual_seed(5)
    list_backbones("test_vit", limit=2)
    torch.testing.assert_close(torch.rand(2), expected[0])
    assert random.getstate() == expected[1]
