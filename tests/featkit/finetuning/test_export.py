import copy
import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
import timm
import torch
from torch import nn

from featkit.backbones import load_backbone
from featkit.data.decoding import pixel_hash
from featkit.errors import BackboneError, PlanError, StoreError
from featkit.features import FeatureStore, extract
from featkit.finetuning._export import _as_timm_has_it, _data_config, exportable, save_model
from featkit.finetuning._network import Classifier
from featkit.models import TrainedModel
from featkit.plans import Plan
from featkit.runs import RunStore
from featkit.sweep import fit


def load(name, **options):
    return load_backbone(f"timm:{name}", random_weights=True, **{"image_size": 32, **options})


def trained(backbone, classes=3):
    """A classifier whose weights and statistics are no longer those of the backbone."""
    model = Classifier(copy.deepcopy(backbone), classes, "full").eval()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(0.02 * torch.rand(tensor.shape, generator=generator))
    return model


NETWORKS = {
    "resnet18": {},
    "mobilenetv2_050": {"image_size": 48},
    "vit_tiny_patch16_224": {},
    "convnext_atto": {},
    "mobilenetv3_small_050": {},
    "efficientnet_b0": {"image_size": 40},
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_folder_is_the_trained_model_for_timm_and_for_featkit(tmp_path, name):
    backbone = load(name, **NETWORKS[name])
    exportable(backbone)
    model, folder = trained(backbone), tmp_path / "some folder"
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    classes = ("nv", "mel", "bcc")
    state = torch.get_rng_state()
    save_model(model, backbone, classes, folder, note="a note", trained_on=["ab", "cd"])
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(model.state_dict()[key], tensor) for key, tensor in before.items())
    side = backbone.preprocessing.crop[0]
    images = torch.rand(3, 3, side, side)
    again = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    features = load_backbone(f"local-dir:{folder}")
    with torch.no_grad():
        torch.testing.assert_close(again(images), model(images), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(
            features.network(images), model.network(images), rtol=1e-4, atol=1e-4
        )
    assert features.preprocessing == backbone.preprocessing
    assert again.num_classes == 3
    config = json.loads((folder / "config.json").read_text())
    assert config["label_names"] == list(classes)
    facts = json.loads((folder / "featkit.json").read_text())
    assert facts == {"classes": list(classes), "note": "a note", "trained_on": ["ab", "cd"]}
    assert features.trained_on == ("ab", "cd")
    assert load_backbone(f"local-dir:{folder}", random_weights=True).trained_on == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["some folder"]
    assert not list(folder.glob("*.bin"))


@pytest.mark.parametrize(
    "fields",
    [
        {"resize": resize, "crop": (crop, crop)}
        for resize, crop in [(32, 32), (256, 224), (235, 224), (248, 240), (99, 97), (37, 32)]
    ]
    + [
        {"resize": (size, size), "crop": (224, 224), "border": border}
        for size in (224, 248, 249)
        for border in (False, True)
    ],
)
def test_every_preprocessing_comes_back_as_it_was(tmp_path, fields):
    """Sizes are computed again from a share, and rounded down."""
    backbone = load("resnet10t")
    wanted = replace(
        backbone.preprocessing, mean=(0.1, 0.2, 0.3), std=(0.3, 0.2, 0.1), interpolation="bilinear",
        **fields,
    )  # fmt: skip
    network = timm.create_model("resnet10t", num_classes=2)
    config = _data_config(replace(backbone, preprocessing=wanted))
    timm.models.save_for_hf(network, str(tmp_path), data_config=config, safe_serialization=True)
    assert load_backbone(f"local-dir:{tmp_path}").preprocessing == wanted


def test_an_older_folder_is_replaced_whole(tmp_path):
    backbone = load("resnet10t")
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "old").write_text("old")
    (tmp_path / ".m.tmp").mkdir()
    (tmp_path / ".m.tmp" / "half").write_text("half")
    save_model(trained(backbone), backbone, ("a", "b", "c"), tmp_path / "m", note="", trained_on=[])
    assert not (tmp_path / "m" / "old").exists()
    assert not (tmp_path / "m" / "half").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


@pytest.mark.parametrize(
    ("spec", "options"),
    [
        ("torchvision:resnet18", {"image_size": 32}),
        ("featkit:tiny", {}),
        ("timm:vit_tiny_patch16_224", {"image_size": 32, "pooling": "avg"}),
        ("timm:resnet10t", {"image_size": 32, "pooling": "logits"}),
    ],
)
def test_what_timm_cannot_hold_is_refused_at_once_with_the_reason(tmp_path, fakes, spec, options):
    backbone = load_backbone(spec, random_weights=True, **options)
    dataset = fakes.dataset()
    with pytest.raises(
        BackboneError, match=r"cannot save a fine-tuned .* no network of timm.*Leave"
    ):
        fakes.tune(tmp_path / "out", backbone=backbone, dataset=dataset, save_models=True)
    assert dataset.images.reads == 0
    assert not (tmp_path / "out").exists()


def test_a_network_that_does_more_before_its_own_last_layer_is_refused():
    """As where timm puts a new, random layer in front of the classifier."""
    backbone = load("resnet10t")
    reset = backbone.network.reset_classifier

    def more(classes):
        reset(classes)
        backbone.network.fc.register_forward_pre_hook(lambda _, inputs: (2 * inputs[0],))

    backbone.network.reset_classifier = more
    model = Classifier(backbone, 3, "full").eval()
    nn.init.constant_(model.last.weight[1:], 1.0)
    with pytest.raises(BackboneError, match="logits that differ"):
        _as_timm_has_it(model, 3, backbone)


def test_a_last_layer_that_is_not_linear_is_refused():
    backbone = load("resnet10t")

    def reset(classes):
        backbone.network.fc = nn.Sequential(nn.Linear(backbone.dimension, classes))

    backbone.network.reset_classifier = reset
    with pytest.raises(BackboneError, match="last layer of another kind"):
        _as_timm_has_it(Classifier(backbone, 3, "full").eval(), 3, backbone)


def test_models_of_runs_are_saved_and_made_where_they_are_missing(tmp_path, fakes):
    backbone = load("resnet10t")
    options = {"backbone": backbone, "strategies": ("last",), "recipe": {"precision": "bf16"}}
    fakes.tune(tmp_path, **options)
    (run,) = RunStore(tmp_path)
    assert not (tmp_path / "models").exists()
    assert fakes.tune(tmp_path, save_models=True, **options).trained == 1
    assert fakes.tune(tmp_path, save_models=True, **options).trained == 0
    (folder,) = (tmp_path / "models").iterdir()
    assert folder.name == run.key.file_name.removesuffix(".npz")
    network = timm.create_model(f"local-dir:{folder / 'network'}", pretrained=True).eval()
    dataset = fakes.dataset()
    place = {name: row for row, name in enumerate(dataset.image_id)}
    tested = [place[name] for name in run.test.image_id]
    pixels = [backbone.preprocessing(dataset.images.read(row)) for row in tested]
    images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found = torch.softmax(network(backbone.normalise(images)).double(), dim=1).numpy()
    np.testing.assert_allclose(found, run.probabilities, atol=0.02)
    model = TrainedModel.load(folder)
    with torch.no_grad():
        features = load_backbone(model.backbone_spec, image_size=32).features(images).numpy()
    np.testing.assert_allclose(model.raw_probabilities(features), run.probabilities, atol=0.02)
    facts = model.facts
    assert not facts.training.frozen and facts.backbone.inside
    assert facts.backbone.spec == backbone.spec and facts.training.run == run.key.digest
    assert len(model.cases) == run.train_images


def test_heads_on_a_saved_models_features_are_kept_from_what_it_was_trained_on(tmp_path, fakes):
    """From Run to refusal, through model folder and feature file; another fine-tuning likewise."""
    half = replace(fakes.design, budgets=(50.0,))
    fakes.tune(tmp_path / "runs", backbone=load("resnet10t"), design=half, save_models=True)
    (folder,) = (tmp_path / "runs" / "models").glob("*/network")
    backbone, dataset = load_backbone(f"local-dir:{folder}"), fakes.dataset()
    plan = Plan.load(tmp_path / "runs" / "plan.json")
    place = {name: row for row, name in enumerate(dataset.image_id)}
    mine = [place[name] for name in plan.image_id[plan.train_rows(0, 50.0, 0)]]
    assert set(backbone.trained_on) == {pixel_hash(dataset.images.read(row)) for row in mine}
    store = extract(dataset, backbone, tmp_path / "features.h5", precision="fp32")
    heads = {"heads": ["linear"], "jobs": 1}
    assert fit([store], tmp_path / "same", design=half, **heads).trained == 1
    whole = replace(half, budgets=(100.0,))
    assert fit([store], tmp_path / "more", design=whole, **heads).trained == 1
    smaller, other_fold = replace(half, budgets=(30.0, 100.0)), replace(whole, seed=5)
    for design, words in ((smaller, "more labels than the budget of 30% holds"),
                          (other_fold, "fine-tuned on lesions that fold 0 tests on")):  # fmt: skip
        with pytest.raises(PlanError, match=words):
            fit([store], tmp_path / "refused", design=design, **heads)
        with pytest.raises(PlanError, match=words):
            fakes.tune(tmp_path / "refused", backbone=backbone, design=design)
    assert not (tmp_path / "refused" / "plan.json").exists()
    others = tmp_path / "others.h5"
    with h5py.File(others, "w") as file:  # another program's features of the same images
        file.update({"x": store.numpy()[:, :5], "y": store.label.astype(int)})
        file.update({"id": store.image_id.astype("S"), "group": store.group.astype("S")})
    foreign = FeatureStore.from_hdf5(
        others, features="x", label="y", image_id="id", group="group", classes=store.classes
    )
    for stores in ([store, foreign], [foreign, store]):
        with pytest.raises(PlanError, match="fine-tuned on lesions that fold 0 tests on"):
            fit(stores, tmp_path / "refused", design=replace(whole, folds=4), **heads)
    # What is held out inside a budget is known to such a backbone.
    assert [run.held_out for run in RunStore(tmp_path / "same")] == [None]
    (plain,) = RunStore(tmp_path / "runs")
    assert plain.held_out is not None
    again = fakes.tune(tmp_path / "again", backbone=backbone, design=whole, save_models=True)
    (next_folder,) = (again.folder / "models").glob("*/network")
    seen = load_backbone(f"local-dir:{next_folder}").trained_on
    assert set(seen) > set(backbone.trained_on)
    assert [run.held_out for run in RunStore(tmp_path / "again")] == [None]


def test_a_feature_file_or_a_model_that_does_not_know_is_not_reused(tmp_path, fakes):
    options = {"backbone": load("resnet10t"), "save_models": True}
    fakes.tune(tmp_path / "runs", **options)
    (folder,) = (tmp_path / "runs" / "models").glob("*/network")
    facts, dataset = (folder / "featkit.json").read_bytes(), fakes.dataset()
    (folder / "featkit.json").unlink()
    spec, out = f"local-dir:{folder}", tmp_path / "features.h5"
    extract(dataset, load_backbone(spec), out, precision="fp32")
    (folder / "featkit.json").write_bytes(facts)
    with pytest.raises(StoreError, match=r"does not know what .* was fine-tuned on.*--fresh"):
        extract(dataset, load_backbone(spec), out, precision="fp32")
    assert extract(dataset, load_backbone(spec), out, precision="fp32", fresh=True).trained_on.size
    for damaged in ('{"classes": []}', '{"trained_on": [', "5"):
        (folder / "featkit.json").write_text(damaged)
        assert fakes.tune(tmp_path / "runs", **options).trained == 1
        assert (folder / "featkit.json").read_bytes() == facts
