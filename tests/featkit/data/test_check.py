import json

import numpy as np
import pytest

from featkit.data import ArrayImages, Dataset, check_dataset, load_dataset


class Recorder:
    def __init__(self):
        self.events = []

    def start(self, task, *, total, done=0, unit=""):
        self.events.append(("start", total))

    def advance(self, amount, *, note=""):
        self.events.append(("advance", amount))

    def finish(self):
        self.events.append(("finish", None))


@pytest.fixture
def spoilt(ham10000, put_images):
    """Six images: two alike, one missing, one cut short; and one file that nobody names."""
    first, second = ham10000 / "HAM10000_images_part_1", ham10000 / "HAM10000_images_part_2"
    put_images(second, ["ISIC_5.jpg", "ISIC_6.jpg", "extra.png"])
    table = ham10000 / "HAM10000_metadata.csv"
    table.write_text(
        table.read_text()
        + "HAM_9,ISIC_5,nv,histo,,,\nHAM_9,ISIC_6,mel,histo,,,\nHAM_9,ISIC_7,nv,histo,,,\n"
    )
    (second / "ISIC_5.jpg").write_bytes((first / "ISIC_1.jpg").read_bytes())
    whole = (second / "ISIC_6.jpg").read_bytes()
    (second / "ISIC_6.jpg").write_bytes(whole[: len(whole) * 3 // 4])
    return load_dataset(ham10000)


@pytest.mark.parametrize("workers", [1, 3, None])
def test_finds_everything(spoilt, workers):
    check = check_dataset(spoilt, workers=workers)
    assert check.name == "ham10000:ham"
    assert (check.images, check.lesions) == (7, 4)
    assert {row.name: row.images for row in check.classes if row.images} == {
        "akiec": 1, "mel": 3, "nv": 3,
    }  # fmt: skip
    assert check.missing == ("ISIC_7",)
    assert check.unreadable == {"ISIC_6": "truncated file"}
    assert check.unlisted == ("HAM10000_images_part_2/extra.png",)
    assert check.sizes == {(8, 6): 3, (9, 6): 2}
    assert check.ambiguous_lesions == {"HAM_9": ("mel", "nv")}
    (group,) = check.duplicates
    assert group.image_id == ("ISIC_1", "ISIC_5")
    assert group.lesions == ("HAM_1", "HAM_9")
    assert group.classes == ("mel", "nv")
    assert group.crosses_lesions
    assert group.crosses_classes


def test_is_json(spoilt):
    found = json.loads(json.dumps(check_dataset(spoilt).to_dict()))
    assert found["missing"] == ["ISIC_7"]
    assert found["sizes"][0] == {"width": 8, "height": 6, "images": 3}
    assert found["duplicates"] == [
        {"image_id": ["ISIC_1", "ISIC_5"], "lesions": ["HAM_1", "HAM_9"], "classes": ["mel", "nv"]}
    ]
    assert found["ambiguous_lesions"] == {"HAM_9": ["mel", "nv"]}


def test_duplicates_agree_with_comparing_all_pairs():
    rng = np.random.default_rng(0)
    array = rng.integers(0, 2, (600, 3, 3), dtype=np.uint8)
    label = rng.integers(-1, 2, 600).astype(np.int16)
    data = Dataset(
        name="test",
        images=ArrayImages(array),
        image_id=np.array([f"I{row:03d}" for row in range(600)]),
        label=label,
        group=np.array([f"L{row // 2}" for row in range(600)]),
        classes=("x", "y"),
    )
    expected = {}
    for row in range(600):
        expected.setdefault(array[row].tobytes(), []).append(row)
    several = {tuple(data.image_id[rows]) for rows in expected.values() if len(rows) > 1}
    check = check_dataset(data)
    assert {group.image_id for group in check.duplicates} == several
    for group in check.duplicates:
        rows = [int(name[1:]) for name in group.image_id]
        assert group.crosses_lesions == (len(set(data.group[rows])) > 1)
        assert group.crosses_classes == (len(set(label[rows]) - {-1}) > 1)


def test_two_unreadable_images_are_no_duplicates(ham10000):
    for path in ham10000.rglob("ISIC_*"):
        path.write_bytes(b"")
    check = check_dataset(load_dataset(ham10000))
    assert set(check.unreadable.values()) == {"0 bytes"}
    assert check.duplicates == ()
    assert check.sizes == {}


def test_tells_its_progress(ham10000):
    recorder = Recorder()
    check_dataset(load_dataset(ham10000), progress=recorder)
    assert recorder.events == [("start", 4), *[("advance", 1)] * 4, ("finish", None)]


def test_ends_soon_when_it_is_interrupted():
    reads = []

    class Images(ArrayImages):
        def read(self, row):
            reads.append(row)
            return super().read(row)

    class Interrupting(Recorder):
        def advance(self, amount, *, note=""):
            raise KeyboardInterrupt

    n = 5000
    names = np.array([f"I{row}" for row in range(n)])
    data = Dataset(
        name="test",
        images=Images(np.zeros((n, 1, 1), np.uint8)),
        image_id=names,
        label=np.zeros(n, np.int16),
        group=names,
        classes=("x",),
    )
    with pytest.raises(KeyboardInterrupt):
        check_dataset(data, workers=2, progress=Interrupting())
    assert len(reads) < 1000
