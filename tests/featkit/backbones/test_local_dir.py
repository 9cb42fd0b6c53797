import json
import os

import pytest
import timm
import torch
from safetensors.torch import load_file, save_file
from timm.models import save_for_hf

from featkit.backbones import load_backbone
from featkit.errors import BackboneError


def change_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize("form", ["local-dir:{}", "timm:local-dir:{}", "{}"])
def test_loads_the_weights_that_are_there(folder, form):
    backbone = load_backbone(form.format(folder))
    stored = load_file(folder / "model.safetensors")
    ours = backbone.network.state_dict()
    assert set(stored) - set(ours) == {"fc.weight", "fc.bias"}
    for name, tensor in ours.items():
        torch.testing.assert_close(tensor, stored[name], atol=0, rtol=0)
    assert backbone.spec == f"local-dir:{folder}"
    assert backbone.architecture == "test_resnet"
    assert not backbone.random_weights


def test_a_bare_name_of_a_folder_beside_us(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    assert load_backbone("weights").spec == "local-dir:weights"


def test_features_are_the_stored_networks(folder):
    backbone = load_backbone(f"local-dir:{folder}")
    network = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    x = torch.randn(2, 3, 160, 160)
    with torch.no_grad():
        torch.testing.assert_close(backbone.network(x), network(x))


def test_preprocessing_comes_from_the_folder(folder):
    config = json.loads((folder / "config.json").read_text())
    cfg = {**config["pretrained_cfg"], "mean": [0.1, 0.2, 0.3], "crop_pct": 0.5}
    change_config(folder, pretrained_cfg=cfg)
    preprocessing = load_backbone(f"local-dir:{folder}").preprocessing
    assert preprocessing.mean == (0.1, 0.2, 0.3)
    assert preprocessing.resize == 320


def test_a_network_without_classes(tmp_path):
    save_for_hf(timm.create_model("test_vit", num_classes=0), tmp_path, safe_serialization=True)
    assert load_backbone(str(tmp_path)).dimension == 64


def test_another_size_and_pooling(tmp_path):
    save_for_hf(timm.create_model("test_vit"), tmp_path, safe_serialization=True)
    backbone = load_backbone(str(tmp_path), image_size=64, pooling="cls+avg")
    assert backbone.preprocessing.crop == (64, 64)
    assert backbone.dimension == 128


def test_random_weights_need_the_configuration_only(folder):
    stored = load_backbone(str(folder)).weights_sha256
    (folder / "model.safetensors").unlink()
    backbone = load_backbone(str(folder), random_weights=True)
    assert backbone.random_weights
    assert backbone.weights_sha256 != stored


def no_folder(folder):
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def a_file(folder):
    no_folder(folder)
    folder.write_text("")


def no_config(folder):
    (folder / "config.json").unlink()


def broken_config(folder):
    (folder / "config.json").write_text('{"architecture": ')


def binary_config(folder):
    (folder / "config.json").write_bytes(b"\xff\xfe\x00")


def list_config(folder):
    (folder / "config.json").write_text("[1]")


def foreign_config(folder):
    (folder / "config.json").write_text('{"architectures": ["BertModel"], "model_type": "bert"}')


def unknown_architecture(folder):
    change_config(folder, architecture="test_resnett")


def odd_cfg(folder):
    change_config(folder, pretrained_cfg=["mean"])


def odd_argument(folder):
    change_config(folder, model_args={"wings": 2})


def no_weights(folder):
    (folder / "model.safetensors").unlink()


def pickled_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def short_weights(folder):
    path = folder / "model.safetensors"
    os.truncate(path, path.stat().st_size // 2)


def empty_weights(folder):
    (folder / "model.safetensors").write_bytes(b"")


def no_tensors(folder):
    save_file({}, folder / "model.safetensors")


def a_tensor_missing(folder):
    tensors = load_file(folder / "model.safetensors")
    del tensors["bn1.weight"]
    save_file(tensors, folder / "model.safetensors")


def broken_facts(folder):
    (folder / "featkit.json").write_text('{"trained_on": [')


def silent_facts(folder):
    (folder / "featkit.json").write_text('{"classes": []}')


def wrong_facts(folder):
    (folder / "featkit.json").write_text('{"trained_on": [1, 2]}')


def other_network(folder):
    change_config(folder, architecture="test_vit")


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (no_folder, "no such folder"),
        (a_file, "it is a file"),
        (no_config, r"has no config\.json"),
        (broken_config, "it is not JSON"),
        (binary_config, "it is not JSON"),
        (list_config, "names no architecture"),
        (foreign_config, "names no architecture: it is not a configuration of timm"),
        (unknown_architecture, "architecture test_resnett: .*near is test_resnet"),
        (odd_cfg, "names no architecture"),
        (odd_argument, "unexpected keyword argument 'wings'"),
        (no_weights, "the weights are missing. Fetch"),
        (pickled_weights, r"pytorch_model\.bin is a pickle, .* Convert it to model\.safetensors"),
        (short_weights, "cut short or damaged"),
        (empty_weights, "cut short or damaged"),
        (no_tensors, "has no tensors"),
        (a_tensor_missing, r'Missing key\(s\) in state_dict: "bn1\.weight"'),
        (broken_facts, r"cannot read .*featkit\.json: it does not say which images"),
        (silent_facts, "does not say which images the network was trained on"),
        (wrong_facts, "something else than hashes"),
        (other_network, r"cannot build local-dir:.* Check that the weights belong"),
    ],
)
def test_a_bad_folder_says_what_is_wrong(folder, damage, message):
    damage(folder)
    with pytest.raises(BackboneError, match=message) as caught:
        load_backbone(f"local-dir:{folder}")
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 800


@pytest.mark.shared
def test_real_networks(shared_weights):
    names = ["mobilenetv2_100.tf_in1k", "mobilenetv1_100.tf_in1k", "mobilenetv2_100.inat_insect"]
    backbones = [load_backbone(str(shared_weights / name)) for name in names]
    assert [backbone.dimension for backbone in backbones] == [1280, 1024, 1280]
    assert len({backbone.fingerprint for backbone in backbones}) == 3
    assert len({backbone.weights_sha256 for backbone in backbones}) == 3
    # The first and third differ by nothing but their weights, once the classes are dropped.
    assert backbones[0].parameters == backbones[2].parameters == 2_223_872
    x = torch.randn(2, 3, 224, 224)
    full = timm.create_model(f"local-dir:{shared_weights / names[0]}", pretrained=True).eval()
    with torch.no_grad():
        logits = full.get_classifier()(backbones[0].network(x))
        torch.testing.assert_close(logits, full(x), atol=1e-4, rtol=1e-4)
