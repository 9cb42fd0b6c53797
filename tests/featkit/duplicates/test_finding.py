from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from PIL import Image

from featkit.backbones import load_backbone
from featkit.data import FileImages
from featkit.duplicates import find_duplicates
from featkit.errors import DataError, UsageError


class Listener:
    """Notes the tasks and how much of each was done."""

    def __init__(self) -> None:
        self.tasks: dict[str, list[float]] = {}

    def start(self, task, *, total, done=0, unit=""):
        self.name = task
        self.tasks[task] = [total, done]

    def advance(self, amount, *, note=""):
        self.tasks[self.name][1] += amount

    def finish(self):
        pass


@pytest.fixture(scope="module")
def tiny():
    return load_backbone("featkit:tiny")


@pytest.fixture
def album(skin, shoot, make_dataset):
    """Twelve lesions; image 12 is lesion 3 again, mirrored, and 13 lesion 5 again, turned."""
    images = [shoot(skin(seed)) for seed in range(12)]
    images += [shoot(skin(3), mirrored=True, rotation=80), shoot(skin(5), rotation=200, light=0.8)]
    images += [shoot(skin(7), rotation=90)]  # of lesion 7, under its own id
    group = [f"L{number}" for number in range(12)] + ["L12", "L13", "L7"]
    return make_dataset(images, group=group, label=[0] * 12 + [1, 0, 0])


def test_both_pairs_are_found_and_no_other(album, tiny):
    listener = Listener()
    found = find_duplicates(album, tiny, neighbours=9, device="cpu", workers=1, progress=listener)
    assert {pair.images for pair in found.confirmed} == {("I3", "I12"), ("I5", "I13")}
    assert [pair.confirmed for pair in found.pairs[:3]] == [True, True, False]
    by_images = {pair.images: pair for pair in found.confirmed}
    assert by_images["I3", "I12"].lesions == ("L3", "L12")
    assert by_images["I3", "I12"].labels == ("nv", "mel")
    assert by_images["I3", "I12"].relabelled
    assert by_images["I3", "I12"].evidence.mirrored
    assert not by_images["I5", "I13"].relabelled
    assert (found.images, found.lesions) == (15, 14)
    assert all(pair.lesions[0] != pair.lesions[1] for pair in found.pairs)
    assert len(listener.tasks) == 4
    assert all(total == done for total, done in listener.tasks.values())
    content = found.to_dict()
    assert content["candidates"] == len(found.pairs)
    assert len(content["confirmed"]) == 2


def test_images_that_cannot_be_read_are_left_out(tmp_path, album, tiny):
    paths = []
    for row in range(len(album)):
        paths.append(tmp_path / f"{row}.png")
        album.images.read(row).save(paths[-1])
    paths[0].write_bytes(b"no image")
    paths[1].unlink()
    object.__setattr__(album, "images", FileImages(paths))
    found = find_duplicates(album, tiny, neighbours=5, workers=1)
    assert set(found.unreadable) == {"I0", "I1"}
    assert found.images == 13
    assert {"I3", "I12"} in [set(pair.images) for pair in found.confirmed]
    assert not {"I0", "I1"} & {name for pair in found.pairs for name in pair.images}


def test_one_image_one_lesion_or_none_readable(make_dataset, tiny, skin, shoot, tmp_path):
    with pytest.raises(DataError, match=r"1 image\(s\) of 1 lesion\(s\)"):
        find_duplicates(make_dataset([shoot(skin(0))]), tiny)
    one_lesion = make_dataset([shoot(skin(0)), shoot(skin(1))], group=["L", "L"])
    with pytest.raises(DataError, match="nothing to compare"):
        find_duplicates(one_lesion, tiny)
    two = make_dataset([shoot(skin(0)), shoot(skin(1))])
    object.__setattr__(two, "images", FileImages([None, None]))
    with pytest.raises(DataError, match=r"0 image\(s\)"):
        find_duplicates(two, tiny)


def test_uniform_images_are_no_duplicates(make_dataset, tiny):
    images = [Image.new("RGB", (40, 30), colour) for colour in ("pink", "pink", "black", "white")]
    found = find_duplicates(make_dataset(images, group=["a", "b", "", ""]), tiny, workers=1)
    assert found.confirmed == ()
    assert found.lesions == 4


def test_neighbours_are_counted_from_one(make_dataset, tiny, skin, shoot):
    with pytest.raises(UsageError, match="0 neighbours"):
        find_duplicates(make_dataset([shoot(skin(0)), shoot(skin(1))]), tiny, neighbours=0)


def test_without_opencv_the_error_names_the_extra(album, tiny, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("featkit.duplicates._")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(UsageError, match=r"OpenCV.*pip install opencv-python-headless"):
        find_duplicates(album, tiny)
    monkeypatch.undo()
    importlib.import_module("featkit.duplicates._opencv")


def test_pairs_can_be_read_without_opencv(monkeypatch, tmp_path):
    for name in [name for name in sys.modules if name.startswith("featkit.duplicates")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "cv2", None)
    path = tmp_path / "pairs.csv"
    path.write_text("image_1,image_2,confirmed\na,b,yes\n")
    assert importlib.import_module("featkit.duplicates").read_pairs(path) == (("a", "b"),)


def test_no_label_is_no_class(make_dataset, tiny, skin, shoot):
    dataset = make_dataset([shoot(skin(0)), shoot(skin(0), rotation=90)], label=[-1, 1])
    [pair] = find_duplicates(dataset, tiny, workers=1).pairs
    assert pair.confirmed
    assert pair.labels == ("", "mel")
    assert np.isfinite(pair.similarity)
