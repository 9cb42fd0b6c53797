"""Runs become models: the one that was kept, or the head trained again and compared."""

import shutil

import numpy as np
import pytest

from featkit.backbones import load_backbone
from featkit.errors import StoreError, UsageError
from featkit.inference import Predictor, explanations, export_model, model_of_run
from featkit.models import TrainedModel
from featkit.runs import RunStore


@pytest.fixture
def sweep(trained, tmp_path):
    """A copy of the sweep's folder without its models, and the feature file."""
    out, store, _ = trained
    shutil.copytree(out, tmp_path / "out", ignore=shutil.ignore_patterns("models"))
    return tmp_path / "out", store


@pytest.mark.parametrize("kind", ["linear", "lightgbm", "mlp"])
def test_a_head_that_was_not_kept_is_trained_again(kind, sweep, run_of, trained, tmp_path):
    out, store = sweep
    path = out / "runs" / run_of(kind).key.file_name
    said = export_model(path, tmp_path / "model", features=[store.path])
    assert said["format"] == "model" and not said["network_inside"]
    found, kept = (
        TrainedModel.load(tmp_path / "model"),
        model_of_run(trained[0] / "runs" / path.name),
    )
    features = store.numpy()[:50]
    np.testing.assert_allclose(
        found.probabilities(features), kept.probabilities(features), atol=1e-6
    )
    assert found.facts.tested == kept.facts.tested
    assert found.facts.training.run == run_of(kind).key.digest


def test_the_features_are_found_by_the_commands_that_were_given(sweep, run_of, tmp_path):
    out, store = sweep
    assert str(store.path) in (out / "commands.txt").read_text()
    export_model(out / "runs" / run_of("linear").key.file_name, tmp_path / "model")
    assert TrainedModel.load(tmp_path / "model").facts.head.kind == "linear"


def test_one_feature_file_by_two_names(sweep, run_of, tmp_path):
    import shlex

    out, store = sweep
    shutil.copy(store.path, tmp_path / "copy.h5")
    with (out / "commands.txt").open("a") as file:
        file.write(shlex.join(["featkit", "fit", str(tmp_path / "copy.h5")]) + "\n")
    export_model(out / "runs" / run_of("linear").key.file_name, tmp_path / "model")


def test_feature_files_that_are_gone(sweep, run_of, tmp_path):
    out, _ = sweep
    (out / "commands.txt").write_text("featkit fit gone.h5 --out out\n")
    with pytest.raises(StoreError, match=r"gone\.h5 is not there.*--features"):
        export_model(out / "runs" / run_of("linear").key.file_name, tmp_path / "model")


def test_other_features_are_refused(sweep, run_of, tmp_path, trained):
    from featkit.features import extract

    out, _ = sweep
    other = extract(
        trained[2], load_backbone("featkit:tiny", image_size=48), tmp_path / "o.h5", device="cpu"
    )
    with pytest.raises(StoreError, match="are not there"):
        export_model(
            out / "runs" / run_of("linear").key.file_name, tmp_path / "m", features=[other.path]
        )


def test_a_run_that_says_something_else_is_refused(sweep, run_of, tmp_path):
    """Training again has to give the probabilities that the Run holds."""
    from dataclasses import replace

    out, store = sweep
    run = run_of("linear")
    changed = run.probabilities[:, ::-1].copy()
    RunStore(out).save(replace(run, probabilities=changed))
    with pytest.raises(StoreError, match="training again gave probabilities that differ"):
        export_model(out / "runs" / run.key.file_name, tmp_path / "m", features=[store.path])


def test_a_folder_that_stands_by_itself(folder_of, tmp_path, pixels):
    """With the network inside a model needs nothing but its folder."""
    folder = folder_of("mlp")
    with Predictor.load(folder, device="cpu", precision="fp32") as predictor:
        expected = predictor.predict_proba(pixels)
    spec = load_backbone("timm:resnet18", random_weights=True)
    assert spec.random_weights
    with pytest.raises(Exception, match=r"no network of timm|Leave --network out"):
        export_model(folder, tmp_path / "inside", network=True)
    assert not (tmp_path / "inside").exists()
    assert expected.shape == (12, 7)


@pytest.mark.parametrize(
    ("form", "words"), [("timm", "backbone's as it was"), ("tflite", "there is no such form")]
)
def test_forms_that_cannot_be(form, words, folder_of, tmp_path):
    with pytest.raises(UsageError, match=words):
        export_model(folder_of(), tmp_path / "x", form=form)


def test_what_is_there_is_left_alone(folder_of, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    with pytest.raises(Exception, match="something else lies there"):
        export_model(folder_of(), tmp_path / "there")


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_a_model_without_its_cases(kind, folder_of, pixels, tmp_path):
    folder = folder_of(kind)
    export_model(folder, tmp_path / "bare", cases=False)
    assert not list((tmp_path / "bare").glob("cases*"))
    with (
        Predictor.load(folder, device="cpu", precision="fp32") as whole,
        Predictor.load(tmp_path / "bare", device="cpu", precision="fp32") as bare,
    ):
        found, expected = bare.predictions(pixels), whole.predictions(pixels)
        np.testing.assert_array_equal(found.probabilities, expected.probabilities)
        assert found.unlike is None and not found.flagged.any()
        assert all(row["unlike"] is None for row in found.rows())
        (first, *_) = explanations(bare, pixels)
        assert first.cases == ()
    assert "unlike" not in (tmp_path / "bare" / "README.md").read_text().lower()
