"""Cached views and the leak of a random split, through the real command line."""

import json
from pathlib import Path

import pytest

SAMPLE = "synthetic:images=400,size=32"
DESIGN = ["--budgets", "50,100", "--draws", 1, "--folds", 5, "--head", "linear", "--jobs", 1]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("views")


@pytest.fixture
def features(featkit, folder):
    """A feature file with three views of each image, made once by the command."""
    path = folder / "features.h5"
    if not path.exists():
        options = ["-b", "featkit:tiny", "--device", "cpu", "--views", 3]
        assert featkit("extract", SAMPLE, *options, "--out", path).code == 0
    return path


@pytest.fixture
def runs(featkit, folder, features):
    """Plain Runs on a grouped split, made once by the command."""
    path = folder / "runs"
    if not path.exists():
        done = featkit("fit", features, "--out", path, *DESIGN)
        assert done.code == 0, done.err
    return path


def test_variants_of_a_head_stand_in_one_table(featkit, features, tmp_path):
    for options in ([], ["--views", "all"], ["--views", 2, "--tta"], ["--tta"]):
        done = featkit("fit", features, "--out", tmp_path / "runs", *DESIGN, *options)
        assert done.code == 0, done.err
        assert "2 runs trained" in done.out
    shown = featkit("compare", tmp_path / "runs", "--resamples", 100, "--json")
    rows = {f"tiny / linear{end}" for end in ("", "+tta", "+views", "+views+tta")}
    assert set(json.loads(shown.out)["methods"]) == rows


def test_leakage_is_measured_shown_and_written(featkit, features, runs):
    command = ["compare", runs, "--leakage", features, "--resamples", 100, "--jobs", 1]
    done = featkit(*command)
    assert done.code == 0, done.err
    assert "leaky − clean" in done.out
    assert "confounded: other test images" in " ".join(done.out.split())
    assert "tiny / linear" in done.out
    kept = json.loads((runs / "leakage" / "leakage.json").read_text())
    again = featkit(*command, "--json")
    assert json.loads(again.out) == kept
    assert {(score["metric"], score["budget"]) for score in kept["scores"]} == {
        (metric, budget) for metric in ("balanced_accuracy", "accuracy") for budget in (50, 100)
    }
    assert all(score["naive"] is not None for score in kept["scores"])


def test_leakage_at_some_budgets_in_another_folder(featkit, features, runs, tmp_path):
    options = ["--leakage-budgets", "100", "--out", tmp_path / "leak", "--resamples", 100]
    done = featkit("compare", runs, "--leakage", features, *options, "--jobs", 1, "--json")
    assert done.code == 0, done.err
    assert {score["budget"] for score in json.loads(done.out)["scores"]} == {100}
    assert (tmp_path / "leak" / "leakage.md").exists()


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        (["--leakage", "x.h5", "--target", "0.7"], "--target: --leakage does not use it"),
        (["--leakage", "x.h5", "--reference", "a"], "--reference: --leakage does not use it"),
        (["--leakage-budgets", "100"], "--leakage-budgets: it is an option of --leakage"),
        (["--jobs", "2"], "--jobs: it is an option of --leakage"),
    ],
)
def test_options_without_effect_are_refused(featkit, tmp_path, options, cause):
    done = featkit("compare", tmp_path, *options)
    assert done.code == 2
    assert cause in done.err


def test_a_file_of_one_view_names_the_remedy(featkit, tmp_path):
    path = tmp_path / "one.h5"
    assert featkit("extract", SAMPLE, "-b", "featkit:tiny", "--out", path).code == 0
    done = featkit("fit", path, "--out", tmp_path / "runs", "--views", "all")
    assert done.code == 1
    assert "holds one view of each image" in done.err
    assert "featkit extract --views 5" in done.err


@pytest.mark.parametrize("wanted", ["many", "0", "-3", "2.5"])
def test_views_that_cannot_be_meant_are_refused(featkit, features, tmp_path, wanted):
    done = featkit("fit", features, "--out", tmp_path / "runs", "--views", wanted)
    assert done.code != 0
    assert f"--views {wanted}" in done.err


def test_leakage_of_other_features_is_refused(featkit, runs, tmp_path):
    path = tmp_path / "other.h5"
    options = ["-b", "featkit:tiny", "--random-weights"]
    assert featkit("extract", SAMPLE, *options, "--out", path).code == 0
    done = featkit("compare", runs, "--leakage", path)
    assert done.code == 1
    assert "no Run in" in done.err
