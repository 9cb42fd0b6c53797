"""Explanations: maps and cases belong to their images, and pictures can be opened."""

import json

import numpy as np
import pytest
from PIL import Image

from featkit.errors import UsageError
from featkit.inference import Heater, explanations, write_explanations
from featkit.inference.tables import images_at


@pytest.fixture
def folder(pixels, tmp_path):
    place = tmp_path / "images"
    place.mkdir()
    for number, image in enumerate(pixels):
        Image.fromarray(image).save(place / f"{number:02}.png")
    (place / "05.png").write_bytes(b"broken")
    return place


@pytest.mark.parametrize("kind", ["linear", "mlp", "lightgbm"])
def test_each_image_gets_its_own(kind, predictor_of, folder):
    """The oracles: the predictor, the heater and brute-force search, image by image."""
    predictor = predictor_of(kind, batch_size=4)
    model, dataset = predictor.model, images_at([str(folder)])
    found = list(explanations(predictor, dataset, cases=3))
    assert [each.image_id for each in found] == [
        name for name in dataset.image_id if name != "05.png"
    ]
    heater = Heater(predictor.stream.backbone, model.head)
    for each in found[::4]:
        alone = predictor.predictions([folder / each.image_id])
        probabilities = list(each.probabilities.values())
        np.testing.assert_allclose(probabilities, alone.probabilities[0], atol=1e-6)
        assert (each.label, each.decision) == (alone.top[0], alone.decision[0])
        label = np.array([model.classes.index(each.label)])
        maps = heater.maps(each.pixels[None], label).maps
        np.testing.assert_allclose(each.heat.maps, maps, atol=1e-5)
        features = predictor.stream.of_pixels(each.pixels[None, None])[0, 0]
        rows = model.cases.features.astype(np.float64)
        cosine = rows @ features / np.linalg.norm(rows, axis=1) / np.linalg.norm(features)
        nearest = np.argsort(-cosine)[:3]
        assert [case.similarity for case in each.cases] == pytest.approx(cosine[nearest], abs=1e-5)
        for case, row in zip(each.cases, nearest, strict=True):
            assert case.image_id == model.cases.image_id[row]
            assert case.diagnosis == model.classes[model.cases.label[row]]


def test_a_training_image_is_its_own_nearest_case(predictor_of, trained):
    _, _, dataset = trained
    predictor = predictor_of()
    place = {name: row for row, name in enumerate(dataset.image_id.tolist())}
    mine = predictor.model.cases.image_id[:5]
    images = dataset.select(np.array([place[name] for name in mine]))
    for name, each in zip(mine, explanations(predictor, images, cases=1), strict=True):
        assert each.cases[0].image_id == name and each.cases[0].similarity > 0.999


def test_a_class_of_one_s_own(predictor_of, folder):
    predictor = predictor_of()
    name = predictor.model.classes[3]
    (first, *_) = explanations(predictor, images_at([str(folder)]), label=name, cases=0)
    assert first.label == name and first.cases == ()
    with pytest.raises(UsageError, match="the model's classes are"):
        list(explanations(predictor, images_at([str(folder)]), label="freckle"))


def test_pictures_and_a_file_that_says_the_same(predictor_of, folder, tmp_path):
    predictor = predictor_of()
    paths = write_explanations(predictor, images_at([str(folder)]), tmp_path / "out", cases=2)
    said = json.loads((tmp_path / "out" / "explanations.json").read_text())
    assert [entry["picture"] for entry in said] == [path.name for path in paths]
    assert len(paths) == 11 and said[0]["heat"]["exact"] and len(said[0]["cases"]) == 2
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
            assert picture.width > 800 and len(picture.convert("RGB").getcolors(1 << 20)) > 100


def test_names_that_are_no_file_names(predictor_of, pixels, tmp_path):
    from dataclasses import replace

    from featkit.data import dataset_of

    names = np.array(["../../etc/passwd", "a b/ç?.png", "x" * 300])
    dataset = replace(dataset_of(list(pixels[:3])), image_id=names, group=names)
    paths = write_explanations(predictor_of(), dataset, tmp_path / "out")
    assert all(path.parent == tmp_path / "out" and path.is_file() for path in paths)
