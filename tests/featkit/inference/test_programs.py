"""Models as one file: their probabilities are the predictor's, whatever the number of images."""

import json

import numpy as np
import onnxruntime
import pytest
import torch

from featkit.errors import ModelError, UsageError
from featkit.inference import export_model, programs
from featkit.models import TrainedModel


@pytest.fixture
def images_folder(trained, tmp_path):
    """Some images of the data set as files."""
    _, _, dataset = trained
    (tmp_path / "images").mkdir()
    for row in range(40):
        dataset.images.read(row).save(tmp_path / "images" / f"{row:02}.png")
    return tmp_path / "images"


def seen(predictor, pixels):
    """What the network sees of images, (n, 3, H, W)."""
    how = predictor.stream.backbone.preprocessing
    return np.stack([how(image).transpose(2, 0, 1) for image in pixels])


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_onnx_gives_what_the_predictor_gives(kind, predictor_of, pixels, images_folder, tmp_path):
    predictor = predictor_of(kind)
    out = tmp_path / "m.onnx"
    said = export_model(predictor.model.folder, out, form="onnx", images=str(images_folder))
    assert said["largest_difference"] < 1e-4 and said["images"] == 32
    session = onnxruntime.InferenceSession(out)
    given, expected = seen(predictor, pixels), predictor.predictions(pixels)
    for count in (1, 5, 12):
        calibrated, own = session.run(
            ["probabilities", "head_probabilities"], {"pixels": given[:count]}
        )
        np.testing.assert_allclose(calibrated, expected.probabilities[:count], atol=1e-4)
        np.testing.assert_array_equal(own.argmax(axis=1), expected.decided[:count])
    kept = session.get_modelmeta().custom_metadata_map
    assert json.loads(kept["classes"]) == list(predictor.model.classes)
    assert json.loads(kept["preprocessing"])["crop"] == list(given.shape[2:])
    assert kept["run"] == predictor.model.facts.training.run


@pytest.mark.parametrize("kind", ["linear", "mlp"])
def test_a_program_of_torch_export(kind, predictor_of, pixels, images_folder, tmp_path):
    predictor = predictor_of(kind)
    out = tmp_path / "m.pt2"
    export_model(predictor.model.folder, out, form="torch", images=str(images_folder))
    again = torch.export.load(out).module()
    given, expected = seen(predictor, pixels), predictor.predict_proba(pixels)
    for count in (1, 5, 12):
        calibrated, _ = again(torch.from_numpy(given[:count]))
        np.testing.assert_allclose(calibrated.detach().numpy(), expected[:count], atol=1e-4)


def test_a_file_with_other_probabilities_gets_no_name(
    predictor_of, images_folder, tmp_path, monkeypatch
):
    """The comparison is what a wrong exporter meets."""
    model = predictor_of().model

    def wrong(whole, pixels, described, path):
        path.write_bytes(b"onnx")

        def run(given):
            with torch.inference_mode():
                found = whole(torch.from_numpy(given))
            return [each.numpy() + 0.002 for each in found]

        return run

    monkeypatch.setattr(programs, "FORMATS", {"onnx": wrong})
    with pytest.raises(ModelError, match=r"differ by 0\.002"):
        export_model(model.folder, tmp_path / "m.onnx", form="onnx", images=str(images_folder))
    assert not list(tmp_path.glob("*.onnx*"))


def test_a_file_that_takes_one_number_of_images_only_gets_no_name(
    predictor_of, images_folder, tmp_path, monkeypatch
):
    model = predictor_of().model

    def fixed(whole, pixels, described, path):
        path.write_bytes(b"onnx")

        def run(given):
            if len(given) != len(pixels):
                raise ValueError("a batch of another size")
            with torch.inference_mode():
                return [each.numpy() for each in whole(torch.from_numpy(given))]

        return run

    monkeypatch.setattr(programs, "FORMATS", {"onnx": fixed})
    with pytest.raises(ValueError, match="another size"):
        export_model(model.folder, tmp_path / "m.onnx", form="onnx", images=str(images_folder))
    assert not list(tmp_path.glob("*.onnx*"))


@pytest.mark.parametrize("form", ["onnx", "torch"])
def test_trees_have_no_layers(form, folder_of, images_folder, tmp_path):
    with pytest.raises(UsageError, match="trees have no layers"):
        export_model(folder_of("lightgbm"), tmp_path / "m", form=form, images=str(images_folder))
    assert not (tmp_path / "m").exists()


def test_real_images_are_asked_for(folder_of, tmp_path):
    with pytest.raises(UsageError, match="--images"):
        export_model(folder_of(), tmp_path / "m.onnx", form="onnx")


def test_a_class_that_the_head_never_saw(trained, tmp_path, images_folder):
    """Its probability is about 0 in both."""
    from dataclasses import replace

    from featkit.heads import LinearHead
    from featkit.inference import Predictor

    out, store, _ = trained
    folder = next((out / "models").glob("linear-*"))
    model = TrainedModel.load(folder)
    kept = store.label != 2
    head = LinearHead().fit(store.numpy()[kept], store.label[kept])
    known = tuple(int(label) for label in head.classes_)
    facts = model.facts.model_copy(
        update={
            "head": model.facts.head.model_copy(
                update={"classes": known, "options": head.get_params()}
            )
        }
    )
    replace(model, facts=facts, head=head).save(tmp_path / "model")
    said = export_model(
        tmp_path / "model", tmp_path / "m.onnx", form="onnx", images=str(images_folder)
    )
    assert said["largest_difference"] < 1e-4
    with Predictor.load(tmp_path / "model", device="cpu", precision="fp32") as predictor:
        found = predictor.predict_proba(sorted(images_folder.iterdir()))
    assert found[:, 2].max() < 1e-6
