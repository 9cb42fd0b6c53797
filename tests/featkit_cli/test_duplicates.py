from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from featkit.data import synthetic_dataset
from featkit.duplicates import read_pairs


@pytest.fixture
def album(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eight drawn lesions and, under another id and label, one of them turned and mirrored."""
    monkeypatch.chdir(tmp_path)
    drawn = synthetic_dataset(images=60, size=160)
    rows = [["image", "label", "lesion_id"]]
    lesions: set[str] = set()
    for row, lesion in enumerate(drawn.group.tolist()):
        if lesion in lesions or len(lesions) == 8:
            continue
        lesions.add(lesion)
        drawn.images.read(row).save(tmp_path / f"a{len(lesions)}.png")
        rows.append([f"a{len(lesions)}.png", "nv", lesion])
    again = drawn.images.read(0).transpose(Image.Transpose.ROTATE_90)
    again = ImageEnhance.Brightness(again.transpose(Image.Transpose.FLIP_LEFT_RIGHT)).enhance(0.9)
    again.save(tmp_path / "b1.png")
    rows.append(["b1.png", "mel", "another"])
    table = tmp_path / "album.csv"
    table.write_text("".join(",".join(row) + "\n" for row in rows))
    return table


COLUMNS = ("--image-column", "image", "--label-column", "label")
DUPLICATES = ("--duplicates", "--backbone", "featkit:tiny")


def test_pairs_are_shown_and_written(featkit, album):
    out = album.parent / "found.csv"
    done = featkit("data", "check", album, *COLUMNS, *DUPLICATES, "--out", out)
    assert done.code == 0, done.err
    assert "One lesion under two ids: 1 pair of images" in done.out
    assert "a1.png" in done.out
    assert "nv / mel" in done.out
    assert "different labels" in done.err
    assert "--duplicates found.csv" in done.out.replace(str(album.parent) + "/", "").replace(
        "\n", ""
    )
    assert read_pairs(out) == (("a1.png", "b1.png"),)
    with out.open() as file:
        [first, *others] = csv.DictReader(file)
    assert first["mirrored"] == "yes"
    assert others
    assert {row["confirmed"] for row in others} == {"no"}


def test_json_and_the_default_file(featkit, album):
    done = featkit("data", "check", album, *COLUMNS, *DUPLICATES, "--neighbours", 3, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["images"] == 9
    across = found["across_lesions"]
    assert across["neighbours"] == 3
    assert [pair["image_2"] for pair in across["confirmed"]] == ["b1.png"]
    assert read_pairs(across["file"]) == (("a1.png", "b1.png"),)
    assert Path(across["file"]).parent == Path("artifacts/duplicates")


def test_without_duplicates_nothing_changes(featkit, album):
    done = featkit("data", "check", album, *COLUMNS, "--json")
    assert done.code == 0
    assert "across_lesions" not in json.loads(done.out)


@pytest.mark.parametrize(
    "options", [("--backbone", "featkit:tiny"), ("--out", "x.csv"), ("--neighbours", "3")]
)
def test_its_options_need_it(featkit, album, options):
    done = featkit("data", "check", album, *COLUMNS, *options)
    assert done.code == 2
    assert f"{options[0]}: it is an option of --duplicates" in done.err


def test_an_unknown_backbone_fails_before_the_images_are_read(featkit, album):
    done = featkit("data", "check", album, *COLUMNS, "--duplicates", "--backbone", "featkit:no")
    assert done.code == 1
    assert "featkit:no" in done.err
    assert "images of" not in done.out


def test_none_found(featkit, album):
    text = album.read_text().splitlines()
    album.write_text("\n".join(text[:-1]) + "\n")
    done = featkit("data", "check", album, *COLUMNS, *DUPLICATES, "--out", "none.csv")
    assert done.code == 0, done.err
    assert "No lesion was found under two ids" in done.out
    assert "Next" not in done.out
    assert read_pairs("none.csv") == ()


def test_a_backbone_is_asked_for(featkit, album):
    done = featkit("data", "check", album, *COLUMNS, "--duplicates")
    assert done.code == 2
    assert "--duplicates needs a --backbone" in done.err
    assert "--backbone timm:" in done.err
