import copy
import pickle

import pytest
import timm
import torch
import torchvision
from timm.models import save_for_hf

from featkit.backbones import load_backbone
from featkit.backbones._pooling import pool_tokens
from featkit.errors import BackboneError, UsageError

X = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))


def features(spec, pooling=None, image_size=64, x=X):
    backbone = load_backbone(
        spec, pooling=pooling, image_size=image_size, random_weights=True, seed=1
    )
    with torch.no_grad():
        output = backbone.network(x)
    assert backbone.dimension == output.shape[1]
    assert backbone.pooling == (pooling or "default")
    return output


# The second and fourth normalise after pooling and have a register instead of a class token.
@pytest.mark.parametrize(
    ("spec", "own"),
    [
        ("timm:test_vit", "cls"),
        ("timm:test_vit2", "avg"),
        ("timm:gmixer_24_224", "avg"),
        ("timm:vit_wee_patch16_reg1_gap_256", "avg"),
    ],
)
def test_the_networks_own_pooling_by_name_changes_nothing(spec, own):
    size = None if "mixer" in spec else 64
    x = torch.randn(1, 3, 224, 224) if "mixer" in spec else X
    torch.testing.assert_close(
        features(spec, own, image_size=size, x=x), features(spec, image_size=size, x=x)
    )


def test_both_poolings_stand_one_after_the_other():
    parts = [features("timm:test_vit", "cls"), features("timm:test_vit", "avg")]
    assert not torch.allclose(*parts)
    torch.testing.assert_close(features("timm:test_vit", "cls+avg"), torch.cat(parts, dim=1))


def test_the_normalisation_after_pooling_is_kept(tmp_path):
    network = timm.create_model("test_vit", global_pool="avg").eval()
    assert isinstance(network.fc_norm, torch.nn.LayerNorm)
    torch.nn.init.normal_(network.fc_norm.weight)
    save_for_hf(network, tmp_path, model_args={"global_pool": "avg"}, safe_serialization=True)
    both = load_backbone(str(tmp_path), pooling="cls+avg").network
    own = load_backbone(str(tmp_path)).network
    x = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        torch.testing.assert_close(both(x)[:, 64:], own(x))
        expected = network.fc_norm(network.forward_features(x)[:, 0])
        torch.testing.assert_close(both(x)[:, :64], expected)


def test_average_leaves_out_class_token_and_registers():
    tokens = torch.arange(12.0).reshape(1, 6, 2)
    (average,) = pool_tokens(tokens, "avg", prefix=3)
    torch.testing.assert_close(average, torch.tensor([[8.0, 9.0]]))
    (first,) = pool_tokens(tokens, "cls", prefix=3)
    torch.testing.assert_close(first, torch.tensor([[0.0, 1.0]]))


def test_average_of_the_patches_equals_timms_own_pooling():
    backbone = load_backbone(
        "timm:test_vit", pooling="avg", image_size=64, random_weights=True, seed=1
    )
    network = timm.create_model("test_vit", img_size=64, num_classes=0, global_pool="token").eval()
    weights = backbone.network.network.state_dict()
    network.load_state_dict(weights)
    network.global_pool = "avg"
    with torch.no_grad():
        torch.testing.assert_close(backbone.network(X), network(X))


def test_torchvisions_transformer():
    spec = "torchvision:vit_b_32"
    x = torch.randn(1, 3, 224, 224)
    backbone = load_backbone(spec, pooling="cls+avg", random_weights=True)
    network = torchvision.models.VisionTransformer(224, 32, 12, 12, 768, 3072).eval()
    network.heads = torch.nn.Identity()
    network.load_state_dict(backbone.network.state_dict())
    tokens = []
    network.encoder.register_forward_hook(lambda module, inputs, output: tokens.append(output))
    with torch.no_grad():
        ours, own = backbone.network(x), network(x)
    assert backbone.dimension == 1536
    torch.testing.assert_close(ours[:, :768], own)
    torch.testing.assert_close(ours[:, 768:], tokens[0][:, 1:].mean(dim=1))
    hooks = backbone.network.encoder._forward_hooks.values()
    assert pickle.loads(pickle.dumps(list(hooks)))  # so that copies and workers have them too


@pytest.mark.parametrize("spec", ["timm:test_resnet", "timm:test_convnext", "timm:resnet18"])
def test_a_network_of_maps_averages_anyway(spec):
    torch.testing.assert_close(features(spec, "avg"), features(spec))


def test_pooling_is_not_part_of_the_weights_but_of_the_fingerprint():
    plain, other = (
        load_backbone("timm:test_vit", pooling=p, random_weights=True) for p in (None, "avg")
    )
    assert plain.weights_sha256 == other.weights_sha256
    assert plain.parameters == other.parameters
    assert plain.fingerprint != other.fingerprint


def test_a_copy_is_independent():
    backbone = load_backbone("timm:test_vit", pooling="avg", random_weights=True)
    x = torch.randn(1, 3, 160, 160)
    twin = copy.deepcopy(backbone.network)
    with torch.no_grad():
        before = backbone.network(x)
        for parameter in twin.parameters():
            parameter.zero_()
        torch.testing.assert_close(backbone.network(x), before)


@pytest.mark.parametrize(
    ("spec", "pooling", "lack"),
    [
        ("timm:test_resnet", "cls", "no tokens"),
        ("timm:test_convnext", "cls+avg", "no tokens"),
        ("timm:vit_wee_patch16_reg1_gap_256", "cls", "no class token"),
        ("torchvision:resnet18", "avg", "no tokens"),
    ],
)
def test_a_network_without_tokens_says_so(spec, pooling, lack):
    with pytest.raises(BackboneError, match=f"{lack}. Leave pooling out"):
        load_backbone(spec, pooling=pooling, random_weights=True)


def test_unknown_pooling_lists_the_known():
    with pytest.raises(UsageError, match=r"pooling max: .* one of avg, cls, cls\+avg"):
        load_backbone("timm:test_vit", pooling="max", random_weights=True)
