from io import BytesIO

import pytest
from PIL import Image

from featkit.errors import DataError
from featkit.serving import Thumbnails


def saved(path, colour="red", size=(400, 300)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def colour_of(content):
    return Image.open(BytesIO(content)).getpixel((5, 5))


def test_only_training_cases_are_shown_and_small(tmp_path):
    saved(tmp_path / "deep" / "down" / "I1.jpg")
    saved(tmp_path / "secret.jpg")
    (tmp_path / "I2.txt").write_text("no image")
    found = Thumbnails(tmp_path, ["I1", "I2", "I3"])
    assert len(found) == 1
    assert Image.open(BytesIO(found.of("I1"))).size == (192, 144)
    for name in ("secret", "I2", "I3", "../I1", "deep/down/I1", ""):
        assert name not in found
        assert found.of(name) is None


def test_ids_with_folders_and_dots(tmp_path):
    saved(tmp_path / "mel" / "001.jpg", "red")
    saved(tmp_path / "nv" / "001.jpg", "blue")
    saved(tmp_path / "scan.v1.2.png", "lime")
    found = Thumbnails(tmp_path, ["mel/001.jpg", "nv/001.jpg", "scan.v1.2"])
    assert colour_of(found.of("mel/001.jpg"))[0] > 200
    assert colour_of(found.of("nv/001.jpg"))[2] > 200
    assert colour_of(found.of("scan.v1.2"))[1] > 200


def test_no_picture_rather_than_a_wrong_one(tmp_path):
    saved(tmp_path / "a" / "001.jpg")
    saved(tmp_path / "b" / "001.jpg")
    saved(tmp_path / "b" / "002.jpg")
    assert "001" not in Thumbnails(tmp_path, ["001", "002"])
    with pytest.raises(DataError, match="several files"):
        Thumbnails(tmp_path, ["001"])


def test_no_picture_where_two_cases_have_its_name(tmp_path):
    saved(tmp_path / "a.jpg")
    saved(tmp_path / "b.jpg")
    found = Thumbnails(tmp_path, ["a.jpg", "a.png", "b.jpg", "b.jpg"])
    assert [name in found for name in ("a.jpg", "a.png", "b.jpg")] == [False, False, True]


def test_a_folder_without_any(tmp_path):
    with pytest.raises(DataError, match=r"such as I1\.jpg"):
        Thumbnails(tmp_path, ["I1"])


def test_a_damaged_picture_is_left_out(tmp_path):
    (tmp_path / "I1.jpg").write_bytes(b"\xff\xd8\xffdamaged")
    assert Thumbnails(tmp_path, ["I1"]).of("I1") is None


def test_the_server_gives_pictures_of_the_cases_that_it_names(
    client_of, predictor, photographs, tmp_path, as_form
):
    ids = predictor.model.cases.image_id.tolist()
    for name in ids[:-1]:
        saved(tmp_path / f"{name}.jpg", size=(9, 9))
    client = client_of(thumbnails=Thumbnails(tmp_path, ids))
    answer = client.post("/api/predict?cases=3", files=as_form(photographs[0])).json()["images"][0]
    for case in answer["cases"]:
        assert (case["thumbnail"] is None) == (case["image_id"] == ids[-1])
    shown = next(case["thumbnail"] for case in answer["cases"] if case["thumbnail"])
    found = client.get(shown)
    assert found.headers["content-type"] == "image/jpeg"
    assert Image.open(BytesIO(found.content)).size == (9, 9)
    for path in (f"/api/cases/{ids[-1]}", "/api/cases/..%2F..%2Fetc%2Fpasswd", "/api/cases/%00"):
        assert client.get(path).status_code == 404
