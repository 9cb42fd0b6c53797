"""Model folders: what comes back is what was trained, and nothing else is loaded."""

import json
import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import balanced_accuracy_score, recall_score

from featkit.errors import ModelError, StoreError
from featkit.evaluate import fit_calibrator
from featkit.fingerprints import fingerprint
from featkit.models import TrainedModel, _schemas, is_model


def rewritten(folder, change):
    """Change what model.json says, and make its digests fit, as someone who means it would."""
    path = folder / "model.json"
    whole = json.loads(path.read_text())
    change(whole)
    whole.pop("digest", None)
    path.write_text(json.dumps({**whole, "digest": fingerprint(whole)}))


def listed_anew(folder, name):
    """Make model.json list a file as it is now."""
    from featkit.models._files import listing

    rewritten(folder, lambda whole: whole["files"].update({name: listing(folder)[name]}))


def test_a_model_predicts_what_its_run_says(trained, run_of, model, kind):
    """The oracle is the Run's probabilities, and their temperature fitted here."""
    _, store, _ = trained
    run = run_of(kind)
    place = {name: row for row, name in enumerate(store.image_id.tolist())}
    features = store.numpy()[[place[name] for name in run.test.image_id.tolist()]]
    np.testing.assert_allclose(model.raw_probabilities(features), run.probabilities, atol=1e-6)
    expected = fit_calibrator(run.held_out.label, run.held_out.probabilities)(run.probabilities)
    np.testing.assert_allclose(model.probabilities(features), expected, atol=1e-6)
    tested = model.facts.tested
    for known, found in ((run.probabilities, tested.head), (expected, tested.calibrated)):
        value = found.metrics["balanced_accuracy"]
        top = known.argmax(axis=1)
        assert value.value == pytest.approx(balanced_accuracy_score(run.test.label, top))
        assert value.low < value.value < value.high
        recall = recall_score(run.test.label, top, average=None)
        assert [each.value for each in found.recall.values()] == pytest.approx(recall.tolist())
        mean = list(found.mean_probability.values())
        np.testing.assert_allclose(mean, known.mean(axis=0), atol=1e-6)


def test_thresholds_are_chosen_on_held_out_images_and_measured_on_others(run_of, model, kind):
    """The oracle is sensitivity and specificity by hand."""
    run = run_of(kind)
    held = fit_calibrator(run.held_out.label, run.held_out.probabilities)
    chosen_on, tested = held(run.held_out.probabilities), held(run.probabilities)
    assert len(model.facts.thresholds) == len(run.classes)
    for place, threshold in enumerate(model.facts.thresholds):
        others = chosen_on[run.held_out.label != place, place]
        assert (others < threshold.probability).mean() >= 0.95
        assert (others < np.sort(others)[int(np.ceil(0.95 * len(others))) - 1]).mean() < 0.95
        above, positive = tested[:, place] >= threshold.probability, run.test.label == place
        assert threshold.sensitivity.value == pytest.approx(above[positive].mean())
        assert threshold.specificity.value == pytest.approx((~above[~positive]).mean())


def test_nothing_in_a_model_is_a_pickle(folder_of, kind):
    for path in folder_of(kind).rglob("*"):
        if path.is_file():
            assert path.suffix in {".json", ".md", ".csv", ".txt", ".safetensors"}
            assert not zipfile.is_zipfile(path)
            with pytest.raises(Exception, match=r".*"):
                pickle.loads(path.read_bytes())


def test_written_again_it_is_the_same(model, tmp_path):
    model.save(tmp_path / "again")
    again = TrainedModel.load(tmp_path / "again")
    assert again.facts == model.facts
    features = np.random.default_rng(0).normal(size=(20, model.head.n_features_in_))
    features = features.astype(np.float32)
    np.testing.assert_array_equal(again.probabilities(features), model.probabilities(features))
    np.testing.assert_array_equal(again.cases.features, model.cases.features)


def test_a_folder_that_is_something_else_is_left_alone(model, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(ModelError, match="something else lies there"):
        model.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years"


def test_no_model(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        TrainedModel.load(tmp_path / "nowhere")
    with pytest.raises(ModelError, match=r"has no model\.json"):
        TrainedModel.load(tmp_path)
    assert not is_model(tmp_path)


@pytest.mark.parametrize(
    "name", ["head.safetensors", "cases.csv", "cases.safetensors", "README.md"]
)
def test_a_changed_file_is_refused(folder_of, name):
    folder = folder_of()
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} is not what was written"):
        TrainedModel.load(folder)


def test_a_missing_or_linked_file_is_refused(folder_of, tmp_path):
    folder = folder_of()
    moved = (folder / "head.safetensors").rename(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"head\.safetensors is missing"):
        TrainedModel.load(folder)
    (folder / "head.safetensors").symlink_to(moved)
    with pytest.raises(ModelError, match=r"head\.safetensors is missing"):
        TrainedModel.load(folder)


def test_changed_facts_are_refused(folder_of):
    folder = folder_of()
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"temperature": ', '"temperature": 1'))
    with pytest.raises(ModelError, match=r"model\.json was changed"):
        TrainedModel.load(folder)


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "not JSON"), ("[]", "not a JSON object"), ("{}", "lists no files"), ("[" * 9999, "JSON")],
)
def test_facts_that_are_none(folder_of, text, words):
    folder = folder_of()
    (folder / "model.json").write_text(text)
    with pytest.raises(ModelError, match=words):
        TrainedModel.load(folder)


def test_a_newer_model_is_refused_whatever_it_holds(folder_of):
    folder = folder_of()

    def newer(whole):
        whole["schema"] = _schemas.SCHEMA + 1
        whole["facts"]["mood"] = "sunny"

    rewritten(folder, newer)
    with pytest.raises(ModelError, match=r"a newer featkit wrote it.*Update featkit"):
        TrainedModel.load(folder)


@pytest.mark.parametrize("schema", [0, -1, None, "1", 1.5, True])
def test_a_schema_that_is_none(folder_of, schema):
    folder = folder_of()
    rewritten(folder, lambda whole: whole.update(schema=schema))
    with pytest.raises(ModelError, match="its schema is"):
        TrainedModel.load(folder)


def test_an_older_schema_is_brought_up_to_date(folder_of, monkeypatch):
    """A featkit of tomorrow, whose facts have other names, reads the folder of today."""
    folder = folder_of()
    before = TrainedModel.load(folder).facts

    def step(facts):
        return {**facts, "name": facts["name"] + ", brought up to date"}

    monkeypatch.setattr(_schemas, "SCHEMA", 2)
    monkeypatch.setattr(_schemas, "_STEPS", {1: step})
    assert TrainedModel.load(folder).facts.name == f"{before.name}, brought up to date"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda facts: facts.update(extra=1), "extra"),
        (lambda facts: facts["backbone"].update(dimension="8"), "dimension"),
        (lambda facts: facts["backbone"].update(dimension=10**9), "dimension"),
        (lambda facts: facts["backbone"].update(weights_sha256="../../x"), "weights_sha256"),
        (lambda facts: facts["backbone"]["preprocessing"].update(crop=[99999, 9]), "crop"),
        (lambda facts: facts["head"].update(tta=10**6), "tta"),
        (lambda facts: facts["head"].update(kind="os.system"), "no head 'os.system'"),
        (lambda facts: facts["head"].update(options={"command": "ls"}), "no option 'command'"),
        (lambda facts: facts["head"].update(classes=[0, 99]), "classes that the model has not"),
        (lambda facts: facts["head"].update(classes=[1, 0, 2]), "ascending"),
        (lambda facts: facts["calibration"].update(temperature=-1.0), "temperature"),
        (lambda facts: facts["calibration"].update(bias=[0.0]), "1 biases"),
        (lambda facts: facts["calibration"].update(bias=["nan"] * 7), "bias"),
        (lambda facts: facts.update(classes=[facts["classes"][0]] * 7), "the same name"),
        (lambda facts: facts["backbone"].update(inside=True), "should be inside is missing"),
        (lambda facts: facts.update(unlike=None), "training cases"),
        (lambda facts: facts["unlike"].update(neighbours=4096), "fewer training cases"),
        (lambda facts: facts.update(classes=facts["classes"][:2]), "model"),
    ],
)
def test_facts_that_someone_made_up(folder_of, change, words):
    folder = folder_of()
    rewritten(folder, lambda whole: change(whole["facts"]))
    with pytest.raises(ModelError, match=words):
        TrainedModel.load(folder)


def test_a_file_that_no_model_has(folder_of):
    folder = folder_of()
    rewritten(folder, lambda whole: whole["files"].update({"../../etc/passwd": {}}))
    with pytest.raises(ModelError, match="which no model has"):
        TrainedModel.load(folder)


def arrays(**changes):
    """Return a change of the arrays of a head."""

    def change(folder):
        found = safetensors.numpy.load_file(folder / "head.safetensors")
        for name, value in changes.items():
            if value is None:
                del found[name]
            else:
                found[name] = value(found.get(name))
        safetensors.numpy.save_file(found, folder / "head.safetensors")

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (arrays(coef_=None), "it has the arrays"),
        (arrays(more=lambda _: np.zeros(3)), "it has the arrays"),
        (arrays(coef_=lambda coef: coef[:, :-1].copy()), "has the shape"),
        (arrays(coef_=lambda coef: coef * np.nan), "finite"),
        (arrays(scale_=lambda scale: scale.astype(np.int64)), "finite floats"),
        (lambda folder: (folder / "head.safetensors").write_bytes(b"\x80\x04."), "cannot be read"),
        (lambda folder: os.truncate(folder / "head.safetensors", 40), "cannot be read"),
    ],
)
def test_arrays_that_someone_made_up(folder_of, change, words):
    folder = folder_of()
    change(folder)
    listed_anew(folder, "head.safetensors")
    with pytest.raises(ModelError, match=words):
        TrainedModel.load(folder)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_whatever_is_changed_in_the_facts_nothing_but_a_model_error_comes(trained, data):
    """Any value of model.json exchanged for any other, with digests that fit."""
    import shutil
    import tempfile

    source = next((trained[0] / "models").glob("linear-*"))
    with tempfile.TemporaryDirectory() as place:
        folder = shutil.copytree(source, Path(place) / "model")

        def change(whole):
            node = whole["facts"]
            while True:
                key = data.draw(st.sampled_from(sorted(node)))
                if not isinstance(node[key], dict) or not node[key] or data.draw(st.booleans()):
                    break
                node = node[key]
            node[key] = data.draw(
                st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers())
            )

        rewritten(folder, change)
        try:
            TrainedModel.load(folder)
        except ModelError as error:
            assert str(folder) in str(error)


OLD = Path(__file__).parent / "schemas"
"""Folders as each schema's own featkit wrote them (`featkit fit --save-models` on a drawn sample),
with what it said of some features. They are never written anew: a change that needs that is a new
schema, with a step in `_schemas.py` and a folder beside these."""


def test_each_schema_so_far_has_a_folder():
    assert sorted(int(path.name) for path in OLD.iterdir()) == [*range(1, _schemas.SCHEMA + 1)]


@pytest.mark.parametrize("path", sorted(OLD.glob("*/*/model.json")), ids=lambda path: path.parent)
def test_what_was_written_by_an_older_featkit_says_what_it_said(path):
    folder = path.parent
    assert json.loads(path.read_text())["schema"] == int(folder.parent.name)
    expected = json.loads((folder.parent / "expected.json").read_text())[folder.name]
    model = TrainedModel.load(folder)
    features = np.sin(np.arange(6 * 128)).reshape(6, 128).astype(np.float32)
    np.testing.assert_allclose(model.probabilities(features), expected["probabilities"], atol=1e-6)
    np.testing.assert_allclose(model.cases.unlike(features), expected["unlike"], atol=1e-6)
    assert model.facts.name == expected["name"]


def test_a_project_with_a_file_of_the_same_name_is_left_alone(model, tmp_path):
    """Other programs have a model.json, too."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "model.json").write_text('{"format": "layers-model"}')
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(ModelError, match="something else lies there"):
        model.save(tmp_path / "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == [
        "model.json", "thesis.txt"
    ]  # fmt: skip


def test_notes_in_a_model_s_folder_are_left_alone(folder_of, model, tmp_path):
    folder = (
        folder_of("linear")
        if not (tmp_path / "model-linear").exists()
        else (tmp_path / "model-linear")
    )
    (folder / "notes.txt").write_text("mine")
    with pytest.raises(ModelError, match=r"notes\.txt is no part of a model"):
        model.save(folder)
    assert (folder / "notes.txt").read_text() == "mine"
    (folder / "notes.txt").unlink()
    model.save(folder)
    assert TrainedModel.load(folder).facts == model.facts
    assert not list(tmp_path.glob(".*"))


def test_the_folder_that_one_stands_in(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ModelError, match="something else lies there"):
        model.save(".")
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(ModelError, match="link is no folder"):
        model.save("link")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda whole: whole["facts"]["thresholds"][0].update(name="zzz"), "of no class"),
        (lambda whole: whole["facts"]["tested"]["support"].pop("mel"), "not of each class"),
        (lambda whole: whole["facts"]["tested"]["head"]["metrics"].pop("ece"), "other scores"),
        (lambda whole: whole["facts"]["calibration"].update(temperature=5e-324), "temperature"),
        (lambda whole: whole.update(more=1), "something else"),
    ],
)
def test_facts_that_do_not_fit_each_other(folder_of, change, words):
    folder = folder_of()
    rewritten(folder, change)
    with pytest.raises(ModelError, match=words):
        TrainedModel.load(folder)


def test_a_scale_of_zero(folder_of):
    folder = folder_of()
    arrays(scale_=lambda scale: scale * 0)(folder)
    listed_anew(folder, "head.safetensors")
    with pytest.raises(ModelError, match="not above 0"):
        TrainedModel.load(folder)


def test_a_share_of_all_has_an_interval(model):
    """Resamplings of 1 are all 1; the oracle is scipy's exact interval of as many lesions."""
    from featkit.models._scoring import _estimate

    found = _estimate(1.0, np.ones(50), lesions=12)
    exact = binomtest(12, 12).proportion_ci(method="exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high))
    none = _estimate(0.0, np.zeros(50), lesions=12)
    assert (none.low, none.high) == pytest.approx((0.0, 1 - exact.low))
    for each in model.facts.tested.head.recall.values():
        assert each.value is None or each.low < each.high


def test_a_model_that_cannot_be_replaced_stays(folder_of, monkeypatch):
    """The last step fails: the old model is there again, whole, and nothing beside it."""
    folder = folder_of()
    before = TrainedModel.load(folder)
    rename = Path.rename

    def fails(path, target):
        if path.name.endswith(".tmp"):
            raise OSError(5, "Input/output error")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(StoreError):
        before.save(folder)
    monkeypatch.undo()
    assert TrainedModel.load(folder).facts == before.facts
    assert not list(folder.parent.glob(".*"))
