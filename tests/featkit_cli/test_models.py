"""From a Run to answers: `fit --save-models`, `inspect`, `predict`, `export`, as one types them."""

import csv
import json

import numpy as np
import onnxruntime
import pandas as pd
import pytest

from featkit.data import load_dataset
from featkit.inference import Predictor
from featkit.runs import RunStore

SAMPLE = "synthetic:images=120,size=32"
CELL = ("--budgets", 100, "--draws", 1, "--folds", 3, "--jobs", 1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture
def model(featkit, folder):
    """The folder of a linear model, made once by the commands."""
    if not (folder / "runs").exists():
        made = featkit("extract", SAMPLE, "-b", "featkit:tiny", "--device", "cpu", "--precision",
                       "fp32", "--out", folder / "f.h5")  # fmt: skip
        assert made.code == 0, made.err
        fit = ("fit", folder / "f.h5", "--out", folder / "runs", *CELL, "--head", "linear")
        done = featkit(*fit, "--save-models")
        assert done.code == 0, done.err
    (found,) = (folder / "runs" / "models").iterdir()
    return found


@pytest.fixture
def images(folder):
    """A folder of images."""
    place = folder / "images"
    if not place.exists():
        place.mkdir()
        dataset = load_dataset(SAMPLE)
        for row in range(20):
            dataset.images.read(row).save(place / f"{row:02}.png")
    return place


def test_models_are_made_of_runs_that_are_there_already(featkit, model, folder):
    """The same command with --save-models trains what has no model, and keeps the Runs."""
    fit = ("fit", folder / "f.h5", "--out", folder / "again", *CELL, "--head", "linear", "--json")
    assert json.loads(featkit(*fit).out)["trained"] == 1
    assert not (folder / "again" / "models").exists()
    assert json.loads(featkit(*fit, "--save-models").out)["trained"] == 1
    assert json.loads(featkit(*fit, "--save-models").out) == {
        "folder": str(folder / "again"), "trained": 0, "reused": 1
    }  # fmt: skip
    first, second = (next(iter(RunStore(folder / name))) for name in ("runs", "again"))
    np.testing.assert_array_equal(first.probabilities, second.probabilities)


def test_inspect_a_model(featkit, model):
    facts = json.loads(featkit("inspect", model, "--json").out)
    assert facts["head"]["kind"] == "linear" and len(facts["classes"]) == 7
    shown = featkit("inspect", model)
    assert "backbone.weights_sha256" in shown.out and shown.code == 0
    (model / "head.safetensors").rename(model / "gone")
    refused = featkit("inspect", model)
    (model / "gone").rename(model / "head.safetensors")
    assert refused.code == 1 and "head.safetensors is missing" in refused.err
    other = featkit("inspect", model.parent)
    assert other.code == 2 and "no model.json" in other.err


def test_predict_shows_a_table(featkit, model, images):
    done = featkit("predict", model, images, "--device", "cpu")
    assert done.code == 0, done.err
    for words in ("00.png", "19.png", "most probable", "decision", "unlike training data", "%"):
        assert words in done.out


@pytest.mark.parametrize("ending", [".csv", ".json", ".parquet"])
def test_predict_writes_what_the_predictor_says(featkit, model, images, folder, ending):
    out = folder / f"answers{ending}"
    done = featkit("predict", model, images, "--device", "cpu", "--precision", "fp32", "--out", out)
    assert done.code == 0, done.err
    assert f"{out}: 20 images" in " ".join(done.out.split())
    with Predictor.load(model, device="cpu", precision="fp32") as predictor:
        expected = predictor.predict_proba(sorted(images.iterdir()))
    read = {".csv": pd.read_csv, ".json": pd.read_json, ".parquet": pd.read_parquet}[ending]
    table = read(out)
    np.testing.assert_allclose(table[list(predictor.model.classes)], expected, atol=1e-6)


def test_predict_as_json_and_images_that_cannot_be_read(featkit, model, images, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"no image")
    done = featkit("predict", model, images / "00.png", bad, "--json")
    said = json.loads(done.out)
    assert [row["failure"] == "" for row in said["images"]] == [True, False]
    assert "1 of 2 images could not be read" in done.err and done.code == 0
    assert featkit("predict", model, bad).code == 1


def test_predict_a_table_of_images(featkit, model, images, tmp_path):
    (images / "t.csv").write_text("image\n03.png\n01.png\n")
    out = tmp_path / "p.csv"
    assert featkit("predict", model, images / "t.csv", "--out", out).code == 0
    (images / "t.csv").unlink()
    with out.open() as file:
        assert [row["image_id"] for row in csv.DictReader(file)] == ["03.png", "01.png"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere", "IMAGES"), 1, "there is no such folder"),
        (("MODEL", "x.png"), 1, "x.png does not exist"),
        (("MODEL", "IMAGES", "--explain", "why", "--label", "freckle"), 2, "classes are"),
        (("MODEL", "IMAGES", "--out", "t.xlsx"), 2, "no kind of table"),
        (("MODEL", "IMAGES", "--device", "cuda:9"), 2, "cuda:9"),
        (("MODEL",), 2, "IMAGE"),
    ],
)
def test_what_predict_says_when_it_cannot(featkit, model, images, words, code, said):
    known = {"MODEL": model, "IMAGES": images}
    done = featkit("predict", *(known.get(word, word) for word in words))
    assert done.code == code and said in " ".join(done.err.split())


def test_export_a_run_and_a_model(featkit, model, images, folder, tmp_path):
    (run,) = (folder / "runs" / "runs").iterdir()
    done = featkit("export", run, "--out", tmp_path / "mine")
    assert done.code == 0, done.err
    assert "Next: featkit predict" in done.out
    again = featkit("predict", tmp_path / "mine", images, "--json", "--precision", "fp32")
    once = featkit("predict", model, images, "--json", "--precision", "fp32")
    assert json.loads(again.out) == json.loads(once.out)
    onnx = tmp_path / "m.onnx"
    done = featkit("export", model, "--format", "onnx", "--out", onnx, "--images", images, "--json")
    said = json.loads(done.out)
    assert said["largest_difference"] < 1e-4 and said["images"] == 20, done.err
    assert onnxruntime.InferenceSession(onnx).get_inputs()[0].name == "pixels"


def test_a_fine_tuned_model_predicts_and_leaves(featkit, images, folder, tmp_path):
    """One folder, nothing beside it: network inside, in timm's format."""
    import timm

    tune = ("finetune", SAMPLE, "-b", "timm:resnet10t", "--random-weights", "--image-size", 32,
            "--device", "cpu", "--workers", 1, "--budgets", 100, "--draws", 1, "--folds", 3,
            "--epochs", 1, "--recipe", "min_steps=0", "--strategy", "last")  # fmt: skip
    done = featkit(*tune, "--out", tmp_path / "runs", "--save-models")
    assert done.code == 0, done.err
    (run,) = RunStore(tmp_path / "runs")
    (model,) = (tmp_path / "runs" / "models").iterdir()
    moved = model.rename(tmp_path / "moved")
    done = featkit("predict", moved, SAMPLE, "--json", "--precision", "fp32", "--device", "cpu")
    found = {row["image_id"]: row["decision"] for row in json.loads(done.out)["images"]}
    mine = [found[name] for name in run.test.image_id.tolist()]
    expected = [run.classes[place] for place in run.probabilities.argmax(axis=1)]
    assert np.mean(np.array(mine) == expected) > 0.95
    for form, out in (("onnx", "m.onnx"), ("torch", "m.pt2")):
        said = featkit("export", moved, "--format", form, "--out", tmp_path / out, "--images",
                       images, "--json")  # fmt: skip
        assert said.code == 0, said.err
        assert json.loads(said.out)["largest_difference"] < 1e-3
    assert featkit("export", moved, "--format", "timm", "--out", tmp_path / "net").code == 0
    network = timm.create_model(f"local-dir:{tmp_path / 'net'}", pretrained=True)
    assert network.num_classes == 7
