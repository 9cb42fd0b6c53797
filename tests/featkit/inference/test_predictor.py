"""A model's answers about images, against the Run that it came from and a fresh forward pass."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from featkit.backbones import load_backbone
from featkit.errors import DataError, ModelError
from featkit.evaluate import fit_calibrator
from featkit.experiment import Design
from featkit.features import extract
from featkit.fingerprints import fingerprint
from featkit.inference import Predictor
from featkit.runs import RunStore
from featkit.sweep import fit


@pytest.mark.parametrize("kind", ["linear", "lightgbm", "mlp"])
def test_says_of_the_test_images_what_the_run_says(trained, run_of, predictor_of, kind):
    _, _, dataset = trained
    run = run_of(kind)
    place = {name: row for row, name in enumerate(dataset.image_id.tolist())}
    tested = dataset.select(np.array([place[name] for name in run.test.image_id.tolist()]))
    predictor = predictor_of(kind)
    found = predictor.predictions(tested)
    expected = fit_calibrator(run.held_out.label, run.held_out.probabilities)(run.probabilities)
    np.testing.assert_allclose(found.probabilities, expected, atol=2e-3)
    names = np.array(run.classes)
    np.testing.assert_array_equal(found.top, names[found.probabilities.argmax(axis=1)])
    agree = found.decision == names[run.probabilities.argmax(axis=1)]
    assert agree.mean() > 0.99  # a tie may fall otherwise
    assert (found.decision != found.top).any()
    np.testing.assert_array_equal(found.image_id, run.test.image_id)
    flagged = found.flagged.mean()
    stated = predictor.model.facts.unlike.false_alarms
    assert flagged == pytest.approx(stated.value, abs=0.01)


def test_equals_a_fresh_forward_pass(predictor_of, pixels):
    """The oracle: the backbone and the head, image by image, without any of the machinery."""
    predictor = predictor_of("linear")
    backbone, model = load_backbone("featkit:tiny"), predictor.model
    expected = []
    for image in pixels:
        seen = torch.from_numpy(backbone.preprocessing(image)).permute(2, 0, 1)[None]
        with torch.inference_mode():
            features = backbone.features(seen).numpy()
        expected.append(model.probabilities(features)[0])
    np.testing.assert_allclose(predictor.predict_proba(pixels), expected, atol=1e-5)


def test_paths_arrays_and_pictures_are_all_the_same(predictor_of, pixels, tmp_path):
    predictor = predictor_of("mlp")
    paths = [tmp_path / f"{number}.png" for number in range(len(pixels))]
    for path, image in zip(paths, pixels, strict=True):
        Image.fromarray(image).save(path)
    expected = predictor.predict_proba(pixels)
    pictures = [Image.fromarray(image) for image in pixels]
    for given in (paths, [str(path) for path in paths], pictures, list(pixels)):
        np.testing.assert_allclose(predictor.predict_proba(given), expected, atol=1e-6)
    names = predictor.predict(paths)
    assert names.tolist() == predictor.classes_[expected.argmax(axis=1)].tolist()


def test_three_lines(folder_of, pixels):
    folder = folder_of("lightgbm")
    predictor = Predictor.load(folder)
    probabilities = predictor.predict_proba(pixels)
    diagnoses = predictor.predict(pixels)
    assert probabilities.shape == (12, 7) and diagnoses.shape == (12,)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_an_image_that_cannot_be_read_is_listed_or_raised(predictor_of, pixels, tmp_path):
    good, bad = tmp_path / "good.png", tmp_path / "bad.jpg"
    Image.fromarray(pixels[0]).save(good)
    bad.write_bytes(b"\xff\xd8\xff nothing")
    predictor = predictor_of()
    found = predictor.predictions([good, bad])
    assert found.failed.tolist() == [False, True] and found.top.tolist()[1] == ""
    assert np.isnan(found.probabilities[1]).all() and found.decision[1] == ""
    rows = list(found.rows())
    assert rows[1]["confidence"] is None and rows[1]["failure"] and rows[1]["flagged"] is None
    json.dumps(rows, allow_nan=False)
    with pytest.raises(DataError, match=r"cannot read the image bad\.jpg"):
        predictor.predict_proba([good, bad])


def test_nothing_is_asked(predictor_of):
    predictor = predictor_of()
    assert predictor.predict_proba([]).shape == (0, 7) and predictor.predict([]).shape == (0,)
    assert list(predictor.predictions([]).rows()) == []


def test_thresholds_mark_classes(predictor_of, pixels):
    found = predictor_of().predictions(pixels)
    for row, image in enumerate(found.rows()):
        marked = {
            name
            for name, share in zip(found.classes, found.probabilities[row], strict=True)
            if share >= found.thresholds[name]
        }
        assert set(filter(None, image["above_threshold"].split("; "))) == marked
    assert any(row["above_threshold"] for row in found.rows())


def test_images_of_another_kind_are_flagged(predictor_of, trained):
    """Noise and blank images are strange to a model of drawn ones."""
    rng = np.random.default_rng(0)
    strange = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(10)]
    strange += [np.full((32, 32, 3), grey, np.uint8) for grey in (0, 128, 255)]
    assert predictor_of().predictions(strange).flagged.mean() > 0.9


def test_a_mean_over_views_as_it_was_tested(tmp_path, trained):
    """The oracle is the Run of a head that averages over views."""
    _, _, dataset = trained
    backbone = load_backbone("featkit:tiny")
    options = {"device": "cpu", "precision": "fp32"}
    store = extract(dataset, backbone, tmp_path / "f.h5", views=3, **options)
    design = Design(budgets=(50,), draws=1, folds=3)
    chosen = {"heads": ["linear"], "views": "all", "tta": True}
    fit([store], tmp_path / "out", design=design, jobs=1, save_models=True, **chosen)
    (run,) = RunStore(tmp_path / "out")
    (folder,) = (tmp_path / "out" / "models").iterdir()
    place = {name: row for row, name in enumerate(dataset.image_id.tolist())}
    tested = dataset.select(np.array([place[name] for name in run.test.image_id.tolist()]))
    with Predictor.load(folder, **options) as predictor:
        assert predictor.stream.views == 3
        decided = predictor.predictions(tested).decided
    assert (decided == run.probabilities.argmax(axis=1)).mean() > 0.98


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights_sha256": "0" * 64}, "its weights differs"),
        ({"architecture": "other"}, "its architecture differs"),
    ],
)
def test_another_backbone_is_refused(folder_of, change, words):
    folder = folder_of()
    path = folder / "model.json"
    whole = json.loads(path.read_text())
    whole["facts"]["backbone"].update(change)
    whole.pop("digest")
    path.write_text(json.dumps({**whole, "digest": fingerprint(whole)}))
    with pytest.raises(ModelError, match=words):
        Predictor.load(folder)


def test_other_preprocessing_is_used_not_forgotten(folder_of):
    """A size that is not the backbone's own is part of the model."""
    folder = folder_of()
    path = folder / "model.json"
    whole = json.loads(path.read_text())
    whole["facts"]["backbone"]["preprocessing"]["mean"] = [0.9, 0.9, 0.9]
    whole.pop("digest")
    path.write_text(json.dumps({**whole, "digest": fingerprint(whole)}))
    with pytest.raises(ModelError, match=r"preprocessing \(mean\) differs"):
        Predictor.load(folder)


def test_is_an_estimator_of_scikit_learn(predictor_of, pixels, trained):
    """Cloned, sent to other processes, scored and given another model."""
    import pickle

    from sklearn.base import clone
    from sklearn.model_selection import cross_val_score

    predictor, other = predictor_of("linear"), predictor_of("mlp")
    expected = predictor.predict_proba(pixels)
    for again in (clone(predictor), pickle.loads(pickle.dumps(predictor))):
        np.testing.assert_allclose(again.predict_proba(pixels), expected, atol=1e-6)
        again.close()
    _, _, dataset = trained
    truth = np.array(dataset.classes)[dataset.label[:12]]
    scores = cross_val_score(predictor, list(pixels), truth, cv=3, n_jobs=2)
    accuracy = (predictor.predict(pixels) == truth).mean()
    assert scores.mean() == pytest.approx(accuracy)
    predictor.set_params(model=other.model)
    np.testing.assert_allclose(
        predictor.predict_proba(pixels), other.predict_proba(pixels), atol=1e-6
    )


def test_classes_with_the_names_of_columns():
    from featkit.inference import Predictions

    found = Predictions(
        image_id=np.array(["a"]),
        classes=("top", "failure", "x"),
        probabilities=np.array([[0.2, 0.7, 0.1]]),
        decided=np.array([1]),
        unlike=None,
        unlike_from=0.95,
        reason=np.array([""]),
    )
    (row,) = found.rows()
    assert (row["top"], row["failure"]) == ("failure", "")
    assert [row[name] for name in ("p(top)", "p(failure)", "x")] == [0.2, 0.7, 0.1]
    assert list(row) == found.columns
