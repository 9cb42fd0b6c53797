"""Every bundled study, from extraction to report, at toy size."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from featkit.backbones import list_backbones, load_backbone
from featkit.plans import Plan
from featkit.studies import (
    Study,
    bundled_names,
    bundled_studies,
    load_study,
    run_study,
    study_state,
)

NAMES = (
    "isic2019-ablation",
    "resnet50-mobilenetv2",
    "scaling-laws",
    "small-cnn-28px",
    "vgg19-resnet50-transfer",
)

SMALL = (
    "timm:test_resnet",
    "timm:test_vit",
    "timm:test_efficientnet",
    "timm:test_byobnet",
    "timm:test_convnext",
    "timm:test_nfnet",
    "timm:test_convnext2",
    "timm:test_vit2",
)
"""Stand in for networks that take too long; others are run as they are."""

TOY = (
    "design.folds=3",
    "arms.*.design.draws=1",
    "extract.precision=fp32",
    "report.resamples=100",
    "arms.*.finetune.*.recipe.epochs=1",
    "arms.*.finetune.*.recipe.min_steps=0",
)


def toy(name: str, data: object, *settings: str) -> Study:
    """The study with its sections, splits and options, but with little of everything."""
    study = load_study(name)
    heads = [
        f"arms.{arm_name}.fit.{section}.heads=linear"
        for arm_name, arm in study.arms.items()
        for section in arm.fit
    ]
    return load_study(name, data=str(data), settings=[*TOY, *heads, *settings], random_weights=True)


def small_networks(name: str) -> list[str]:
    backbones = load_study(name).backbones
    specs = [
        f"backbones.{backbone}.spec={spec}"
        for backbone, spec in zip(backbones, SMALL, strict=False)
    ]
    return [*specs, "backbones.*.image_size=32"]


def run(study: Study, out: Path) -> dict[str, dict[str, str]]:
    outcome = run_study(study, out, device="cpu", workers=1, jobs=1)
    assert outcome.trained > 0 and outcome.reused == 0
    assert {step.state for step in study_state(study, out, estimate=False).steps} == {"done"}
    for arm in study.arms:
        assert (out / arm / "report.html").stat().st_size > 10_000
    page = (out / "study.html").read_text()
    assert all(row["what"] in page.replace("&#39;", "'") for row in outcome.rows)
    return {row["what"]: row for row in outcome.rows}


def plans(out: Path, arm: str) -> set[tuple[str, int]]:
    found = [Plan.load(path) for path in (out / "runs" / arm).rglob("plan.json")]
    return {(plan.split, plan.folds) for plan in found}


def test_all_are_there_and_say_what_they_are():
    assert tuple(bundled_names()) == NAMES
    for study in bundled_studies():
        assert study.about.endswith(".") and len(study.about) > 30
        loaded = load_study(study.name)
        assert "What differs" in loaded.note and "Published" in loaded.note
        assert set(loaded.arms) == {"original", "proper"}
        assert loaded.design_of("proper").split == "grouped"
        assert loaded.data.spec is None


@pytest.mark.parametrize("name", NAMES)
def test_published_numbers_are_looked_up_where_they_were_measured(name):
    study = load_study(name)
    for published in study.published:
        arm = study.arms["original"]
        assert published.section is None or published.section in {**arm.fit, **arm.finetune}
        assert published.budget in (study.design_of("original").budgets or ())


@pytest.mark.parametrize("name", NAMES)
def test_real_networks_are_known_by_name(name):
    for section in load_study(name).backbones.values():
        if section.random_weights:
            backbone = load_backbone(section.spec, random_weights=True)
            assert backbone.preprocessing.crop == (28, 28)
            continue
        (info,) = [row for row in list_backbones(section.spec).rows if row.spec == section.spec]
        assert info.dimension and info.input_size == (224, 224)


@pytest.mark.long
def test_scaling_laws(ham10000, tmp_path):
    settings = [
        "design.budgets=5,100",
        "arms.proper.fit.frozen.backbones=alexnet",
        "arms.proper.finetune.fine-tuned.backbones=alexnet,resnet101",
        *small_networks("scaling-laws"),
    ]
    rows = run(toy("scaling-laws", f"ham10000:{ham10000}", *settings), tmp_path)
    assert plans(tmp_path, "original") == {("random", 3)}
    assert plans(tmp_path, "proper") == {("grouped", 3)}
    mean = rows["mean of the eight networks fine-tuned on 5% (accuracy)"]
    assert mean["published"] == "0.851"
    assert "mean of 8 backbones" in mean["original (RANDOM split)"]
    assert (
        "finetune-full" in rows["ResNet101 fine-tuned on 100% (accuracy)"]["proper (grouped split)"]
    )


@pytest.mark.long
def test_resnet50_mobilenetv2(ham10000, tmp_path):
    settings = [
        "backbones.*.image_size=32",
        "backbones.resnet50.spec=timm:test_resnet",
        "arms.*.design.budgets=50,100",
    ]
    study = toy("resnet50-mobilenetv2", f"ham10000:{ham10000}", *settings)
    rows = run(study, tmp_path)
    assert plans(tmp_path, "original") == {("single-image-test", 3)}
    with (ham10000 / "HAM10000_metadata.csv").open() as handle:
        lesion = {row["image_id"]: row["lesion_id"] for row in csv.DictReader(handle)}
    images = list(lesion.values())
    (path, *_) = (tmp_path / "runs" / "original").rglob("plan.json")
    plan = Plan.load(path)
    tested = [lesion[plan.image_id[row]] for fold in range(3) for row in plan.test_rows(fold)]
    assert sorted(tested) == sorted(name for name in images if images.count(name) == 1)
    kept = sorted((tmp_path / "features").glob("*.normalisation.json"))
    assert [path.name.split("-")[0] for path in kept] == ["mobilenetv2", "resnet50"]
    original = rows["MobileNetV2, about (accuracy)"]["original (single-image-test split)"]
    assert "mobilenet_v2" in original


@pytest.mark.long
def test_isic2019_ablation(isic2019, tmp_path):
    folder, lesions = isic2019
    settings = [*small_networks("isic2019-ablation"), f"data.lesions={lesions}"]
    rows = run(toy("isic2019-ablation", f"isic:{folder}", *settings), tmp_path)
    assert plans(tmp_path, "proper") == {("grouped", 3)}
    published = {row["published"] for row in rows.values()}
    assert published >= {"0.570", "0.690", "0.590", "0.715"}
    first = rows["version 1: plain (accuracy)"]["original (RANDOM split)"]
    heavy = rows["version 3: heavy enhancement and oversampling (accuracy)"]
    assert "imbalance=none" in first and "best of" not in first
    assert "imbalance=oversample" in heavy["proper (grouped split)"]


def test_isic2019_ablation_on_one_folder_a_class_says_that_nothing_groups(folders, tmp_path):
    settings = [*small_networks("isic2019-ablation"), "arms.*.finetune.*.strategies=head"]
    study = toy("isic2019-ablation", f"folder:{folders}", *settings)
    arm = study.arms["original"].model_copy(
        update={"finetune": {"version-1": study.arms["original"].finetune["version-1"]}}
    )
    outcome = run_study(
        study.model_copy(update={"arms": {"original": arm}}), tmp_path, device="cpu", workers=1
    )
    assert outcome.ungrouped
    assert outcome.random == ("original",)


def test_small_cnn(hmnist, tmp_path):
    run(toy("small-cnn-28px", f"hmnist:{hmnist}", "arms.*.design.budgets=50,100"), tmp_path)
    assert plans(tmp_path, "original") == {("random", 3)}
    (path, *_) = (tmp_path / "runs" / "proper").rglob("plan.json")
    plan = Plan.load(path)
    assert plan.split == "grouped"
    assert len(set(plan.group)) < len(plan)


@pytest.mark.long
def test_vgg19_resnet50_transfer(ham10000, tmp_path):
    name = "vgg19-resnet50-transfer"
    settings = ["arms.*.design.budgets=50,100", *small_networks(name)]
    rows = run(toy(name, f"ham10000:{ham10000}", *settings), tmp_path)
    best = rows["best result (accuracy)"]
    assert "best of 6 on these test images" in best["original (RANDOM split)"]
    names = (tmp_path / "original" / "comparison" / "comparison.md").read_text()
    assert "+logits+random / linear" in names
    assert "/ finetune-full" in names
