"""A data set, a backbone and a head of another distribution, through the real command line.

The distribution is `tests/plugin`, whose files the documentation shows.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from featkit.data import load_dataset
from featkit.features import FeatureStore
from featkit.runs import RunStore

PLUGIN = Path(__file__).parent.parent / "plugin"
DESIGN = ("--budgets", "20,100", "--draws", 2, "--draws-large", 1, "--folds", 3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images whose names say everything, and with the installed distribution."""
    root = tmp_path_factory.mktemp("outside")
    sample = load_dataset("synthetic:images=300,size=48")
    (root / "images").mkdir()
    for row, (label, lesion) in enumerate(zip(sample.label, sample.group, strict=True)):
        name = f"{lesion.replace('_', '-')}_{sample.classes[label]}_{row}.jpg"
        sample.images.read(row).save(root / "images" / name)
    # A copy, as building leaves things beside the source.
    install = ["install", "--quiet", "--no-index", "--no-deps", "--no-build-isolation"]
    words = [*install, "--disable-pip-version-check", "--target", root / "site", PLUGIN]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    return root


@pytest.fixture(scope="module")
def outside(folder):
    """Return a runner of commands in processes that have the distribution on their path."""

    def run(*words, code=0, program=("-m", "featkit_cli")):
        path = [str(folder / "site"), *filter(None, sys.path)]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(path),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "200",
            "RAY_USAGE_STATS_ENABLED": "0",
        }
        command = [sys.executable, *program, *map(str, words)]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stderr
        return done

    return run


@pytest.fixture(scope="module")
def features(outside, folder):
    """The feature file of the outside data set by the outside backbone, made once."""
    outside("extract", "images", "-b", "handmade:grid2", "--out", "grid.h5", "--device", "cpu")
    return folder / "grid.h5"


@pytest.fixture(scope="module")
def runs(outside, features, folder):
    """Runs of the outside head and of one of featkit's own, fitted in two processes."""
    heads = ("--head", "nearest", "--head", "linear")
    outside("fit", features, *heads, *DESIGN, "--jobs", 2, "--out", "runs")
    return folder / "runs"


def test_what_is_installed_is_listed(outside):
    found = json.loads(outside("plugins", "--json").stdout)
    assert [(each["group"], each["name"]) for each in found] == [
        ("featkit.readers", "named"),
        ("featkit.backbones", "handmade"),
        ("featkit.heads", "nearest"),
    ]
    assert {(each["distribution"], each["problem"]) for each in found} == {
        ("featkit-example 1.0", "")
    }


def test_nothing_is_listed_where_nothing_is_installed(featkit):
    done = featkit("plugins")
    assert done.code == 0
    assert "No installed distribution adds anything" in done.out


def test_the_features_say_where_they_come_from(features):
    sample, store = load_dataset("synthetic:images=300,size=48"), FeatureStore.open(features)
    assert store.dataset_name == "named:images"
    assert sorted(set(store.group)) == sorted({g.replace("_", "-") for g in sample.group})
    by_class = {name: int((store.label == i).sum()) for i, name in enumerate(store.classes)}
    assert by_class == {
        name: int((sample.label == number).sum()) for number, name in enumerate(sample.classes)
    }
    assert store.shape == (300, 1, 24)
    assert store.attributes["backbone"]["spec"] == "handmade:grid2"
    assert store.attributes["versions"]["featkit-example"] == "1.0"


def test_the_features_are_those_of_the_images(features, folder):
    """Mean colours over a grid, by an oracle that knows nothing of networks."""
    from PIL import Image

    store = FeatureStore.open(features)
    found = store.numpy()
    for row in (0, 150, 299):
        image = Image.open(folder / "images" / f"{store.image_id[row]}.jpg").resize((64, 64))
        pixels = (np.asarray(image) / 255 - 0.5) / 0.25
        cells = pixels.reshape(2, 32, 2, 32, 3).mean(axis=(1, 3))
        np.testing.assert_allclose(
            found[row][:12].reshape(3, 2, 2), np.moveaxis(cells, 2, 0), atol=0.02
        )


def test_the_runs_say_who_made_them(runs):
    found = list(RunStore(runs))
    assert {run.name for run in found} == {"grid2 / nearest", "grid2 / linear"}
    for run in found:
        mine = run.key.method == "nearest"
        assert run.versions.get("featkit-example") == ("1.0" if mine else None)
        assert ("class" in run.key.config) == mine
        assert run.held_out is not None
        np.testing.assert_allclose(run.probabilities.sum(axis=1), 1, atol=1e-5)


def test_runs_are_compared_where_the_head_is_not_installed(featkit, runs, folder):
    words = ("--resamples", 200, "--json", "--out", folder / "comparison")
    found = json.loads(featkit("compare", runs, *words).out)
    assert set(found["methods"]) == {"grid2 / nearest", "grid2 / linear"}
    best = {cell["method"]: cell["scores"]["macro_auroc"] for cell in found["cells"][-2:]}
    assert all(score["value"] > 0.55 for score in best.values())
    assert found["differences"]


def test_what_is_not_installed_is_named(featkit, features, folder):
    lacking = featkit("fit", features, "--head", "nearest", "--out", folder / "other")
    assert lacking.code == 2
    assert "head 'nearest': there is no head of this name" in lacking.err
    lacking = featkit("extract", f"named:{folder / 'images'}", "-b", "featkit:tiny")
    assert lacking.code == 2
    assert "unknown kind of data set 'named'" in lacking.err
    lacking = featkit("extract", "synthetic", "-b", "handmade:grid2")
    assert lacking.code == 1
    assert "there is no source handmade" in lacking.err


_MODELS = """
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from featkit import Design, FeatureStore, fit
from featkit.heads.state import head_of, state_of
from featkit.models import TrainedModel

store = FeatureStore.open(sys.argv[1])
design = Design(budgets=(20, 100), draws=2, draws_large=1, folds=3)
again = fit([store], "runs", heads=["nearest"], design=design)
assert (again.trained, again.reused) == (0, 3)
design = Design(budgets=(100,), draws=1, folds=3)
fit([store], "saved", heads=["nearest"], design=design, jobs=1, save_models=True)
(folder,) = Path("saved/models").iterdir()
model = TrainedModel.load(folder)
head = model.head
assert type(head).__module__ == "featkit_example.nearest"
X = store.numpy()
again = head_of(state_of("nearest", head))
np.testing.assert_array_equal(again.predict_proba(X), head.predict_proba(X))
state = state_of("nearest", head)
for name, array in state.arrays.items():
    for bad in (array[..., :-1], np.full_like(array, np.nan)):
        try:
            head_of(replace(state, arrays={**state.arrays, name: bad}))
        except ValueError as error:
            assert name in str(error)
        else:
            raise AssertionError(f"{name} was not audited")
print(folder)
"""


def test_a_saved_model_loads_only_where_its_head_is_installed(outside, features, folder, runs):
    done = outside(features, program=("-c", _MODELS))
    from featkit.errors import ModelError
    from featkit.models import TrainedModel

    with pytest.raises(ModelError, match=r"no head 'nearest': .*another distribution"):
        TrainedModel.load(folder / done.stdout.strip())


@pytest.mark.long
@pytest.mark.slow
def test_the_same_on_ray(outside, features, runs, folder):
    pytest.importorskip("ray", reason="needs Ray (the extra `ray`)")
    ray = ("--engine", "ray")
    options = ("-b", "handmade:grid2", "--precision", "fp32", "--device", "cpu")
    outside("extract", "images", *options, *ray, "--out", "ray.h5")
    ours, theirs = FeatureStore.open(features), FeatureStore.open(folder / "ray.h5")
    np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=1e-4, atol=1e-5)
    one = ("--budgets", 100, "--draws", 1, "--folds", 3)
    outside("fit", features, "--head", "nearest", *one, *ray, "--out", "ray")
    known = {run.key.digest: run for run in RunStore(runs)}
    (run,) = RunStore(folder / "ray")
    np.testing.assert_array_equal(run.probabilities, known[run.key.digest].probabilities)
