"""The main job through the real command line: data → extract → fit → compare → inspect."""

import csv
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

SAMPLE = "synthetic:images=300,size=32"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pipeline")


@pytest.fixture
def features(featkit, folder):
    """The feature file, made once by the command."""
    path = folder / "features.h5"
    if not path.exists():
        done = featkit("extract", SAMPLE, "-b", "featkit:tiny", "--out", path, "--device", "cpu")
        assert done.code == 0, done.err
        assert f"Next: featkit fit {path}" in done.out
    return path


@pytest.fixture
def runs(featkit, folder, features):
    """The Runs, made once by the command."""
    path = folder / "runs"
    if not path.exists():
        options = ["--budgets", "20,100", "--draws", 2, "--draws-large", 1, "--folds", 3]
        heads = ["--head", "linear", "--head", "mlp"]
        done = featkit("fit", features, "--out", path, *options, *heads, "--jobs", 1)
        assert done.code == 0, done.err
        assert "6 runs trained, 0 were there" in done.out
    return path


def test_extract_keeps_the_datas_order_and_labels(features):
    from featkit import load_dataset

    dataset = load_dataset(SAMPLE)
    with h5py.File(features) as file:
        ids = [name.decode() for name in file["image_id"][:]]
        np.testing.assert_array_equal(file["label"][:], dataset.label)
        assert np.isfinite(file["features"][:]).all()
    assert ids == dataset.image_id.tolist()


def test_extract_again_is_done_at_once_and_as_json(featkit, features):
    before = features.stat().st_mtime_ns
    done = featkit("extract", SAMPLE, "-b", "featkit:tiny", "--out", features, "--json")
    assert done.code == 0
    assert json.loads(done.out)
    assert features.stat().st_mtime_ns == before


def test_extract_limit_takes_whole_lesions(featkit, tmp_path):
    out = tmp_path / "few.h5"
    assert featkit("extract", SAMPLE, "-b", "featkit:tiny", "--limit", 90, "--out", out).code == 0
    from featkit import FeatureStore, limit_dataset, load_dataset

    expected = limit_dataset(load_dataset(SAMPLE), 90)
    np.testing.assert_array_equal(FeatureStore.open(out).image_id, expected.image_id)


def test_a_feature_file_of_another_backbone_is_not_reused(featkit, features):
    before = features.read_bytes()
    done = featkit("extract", SAMPLE, "-b", "featkit:tiny", "--random-weights", "--out", features)
    assert done.code == 1
    assert "backbone" in done.err
    assert "--fresh" in done.err
    assert features.read_bytes() == before


def test_fit_again_trains_nothing(featkit, features, runs):
    options = ["--budgets", "20,100", "--draws", 2, "--draws-large", 1, "--folds", 3]
    done = featkit("fit", features, "--out", runs, *options, "--head", "linear", "--json")
    assert json.loads(done.out) == {"folder": str(runs), "trained": 0, "reused": 3}


def test_fit_leaves_a_table_of_results(runs):
    with (runs / "results.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 6
    assert {row["method"] for row in rows} == {"linear", "mlp"}
    assert all(0 < float(row["balanced_accuracy"]) < 1 for row in rows)


def test_compare_shows_tables_and_writes_files(featkit, runs, tmp_path):
    done = featkit("compare", runs, "--out", tmp_path / "c", "--resamples", 200)
    assert done.code == 0, done.err
    assert "Balanced accuracy" in done.out
    assert "tiny / linear" in done.out
    assert "paired difference" in done.out
    assert (tmp_path / "c" / "learning_curve.png").stat().st_size > 10_000


def test_compare_as_json_agrees_with_the_file(featkit, runs, tmp_path):
    done = featkit("compare", runs, "--out", tmp_path / "c", "--resamples", 200, "--json")
    assert json.loads(done.out) == json.loads((tmp_path / "c" / "comparison.json").read_text())


def test_inspect_a_feature_file_and_a_run(featkit, features, runs):
    facts = json.loads(featkit("inspect", features, "--json").out)
    assert "tiny" in json.dumps(facts)
    run = next((runs / "runs").iterdir())
    facts = json.loads(featkit("inspect", run, "--json").out)
    assert facts["name"] in {"tiny / linear", "tiny / mlp"}
    assert "scores.balanced_accuracy" in featkit("inspect", run).out


def test_external_validation_through_the_command(featkit, features, tmp_path):
    other = tmp_path / "other.h5"
    sample = "synthetic:images=250,size=32,seed=9"
    assert featkit("extract", sample, "-b", "featkit:tiny", "--out", other).code == 0
    done = featkit(
        "fit", features, "--test", other, "--out", tmp_path / "ext", "--head", "linear",
        "--budgets", 100, "--draws", 1, "--jobs", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    shown = featkit("compare", tmp_path / "ext", "--resamples", 200)
    assert "250 images" in shown.out


def test_a_foreign_feature_file(featkit, features, tmp_path):
    with h5py.File(features) as ours, h5py.File(tmp_path / "theirs.h5", "w") as theirs:
        theirs["deep/x"] = ours["features"][:]
        theirs["deep/y"] = ours["label"][:]
        theirs["patient"] = ours["group"][:]
    done = featkit(
        "fit", tmp_path / "theirs.h5", "--features-key", "deep/x", "--label-key", "deep/y",
        "--group-key", "patient", "--out", tmp_path / "runs", "--head", "linear",
        "--budgets", 100, "--draws", 1, "--jobs", 1,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "1 run trained" in done.out


def test_data_commands(featkit, tmp_path):
    assert featkit("data", "sample", tmp_path / "s", "--images", 220, "--size", 32).code == 0
    facts = json.loads(featkit("data", "info", tmp_path / "s", "--json").out)
    assert facts["images"] == 220
    assert {row["name"] for row in facts["classes"]} >= {"mel", "nv"}
    shown = featkit("data", "check", tmp_path / "s")
    assert shown.code == 0
    assert "220 images" in shown.out
    assert "32×32" in shown.out
    assert json.loads(featkit("data", "check", tmp_path / "s", "--json").out)["missing"] == []


def test_backbones_are_listed(featkit):
    shown = featkit("backbones", "*resnet18*")
    assert shown.code == 0
    assert "512" in shown.out
    rows = json.loads(featkit("backbones", "featkit:tiny", "--json").out)
    assert rows[0]["cached"] is True
