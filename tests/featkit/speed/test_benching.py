import numpy as np
import pytest
from PIL import Image

from featkit import extract, load_backbone, load_dataset
from featkit.data import synthetic_dataset
from featkit.errors import BackboneError, DataError, UsageError
from featkit.features import _choosing
from featkit.progress import NoProgress
from featkit.speed import bench
from featkit.speed._drawn import drawn_photographs

TINY = "featkit:tiny"


@pytest.fixture
def photographs():
    return synthetic_dataset(images=320, size=32)


@pytest.fixture
def searching(monkeypatch):
    """Let every job be worth the search, and every faithful way fast enough."""
    monkeypatch.setattr(_choosing, "_WORK_S", {"cpu": 0.0})
    monkeypatch.setattr(_choosing, "_SPEEDUP", 0.0)


def test_the_way_that_is_marked_is_the_way_that_extract_takes(
    instant, searching, photographs, tmp_path
):
    found = bench(photographs, [TINY], device="cpu")
    store = extract(photographs, load_backbone(TINY), tmp_path / "x.h5", device="cpu")
    (speed,) = found.backbones
    taken = speed.taken
    assert (taken.precision, taken.runtime) == (
        store.attributes["precision"],
        store.attributes["runtime"],
    )
    kept = store.attributes["faithfulness"]
    assert taken.faithfulness.cosine_min == pytest.approx(kept["cosine_min"], abs=1e-6)
    assert taken.faithfulness.error_max == pytest.approx(kept["error_max"], rel=1e-3)
    assert taken.faithfulness.images == kept["images"] == 5
    assert sum(way.taken for way in speed.ways) == 1
    assert speed.ways[0].runtime == "torch"
    assert (found.images, found.dataset, found.beside) == (320, photographs.name, False)
    assert speed.ready_s > 0
    assert all(way.rate.least > 0 for way in speed.ways)
    assert speed.together.least > 0


def test_few_images_are_not_worth_a_search_and_many_are(instant, photographs):
    few = bench(photographs, [TINY], device="cpu", images=100).backbones[0]
    assert [(way.precision, way.runtime) for way in few.ways] == [("fp32", "torch")]
    assert few.taken.faithfulness is None
    many = bench(photographs, [TINY], device="cpu", images=10**9).backbones[0]
    assert many.ways[0].faithfulness.images == 32


def test_random_weights_tell_nothing_of_faithfulness(instant, searching, photographs):
    found = bench(photographs, ["featkit:small-cnn"], device="cpu")
    (speed,) = found.backbones
    assert speed.random_weights
    assert all(way.faithfulness is None for way in speed.ways)
    assert speed.taken.precision == "fp32"


def test_views_are_counted_in_the_rates(instant, photographs):
    found = bench(photographs, [TINY], device="cpu", views=3, images=64, image_size=32)
    assert found.views == 3
    assert found.backbones[0].image_size == (32, 32)


def test_progress_has_a_step_for_each_place(instant, photographs):
    class Listener(NoProgress):
        total, done = 0.0, 0.0

        def start(self, task, *, total, done=0, unit=""):
            self.total = total

        def advance(self, amount, *, note=""):
            self.done += amount

    listener = Listener()
    bench(photographs, [TINY, TINY], device="cpu", images=50, progress=listener)
    assert listener.total == listener.done == 8


def test_images_that_cannot_be_read(instant, tmp_path):
    for number in range(3):
        path = tmp_path / "images" / "a" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no image")
    with pytest.raises(DataError, match=r"none of 3 images tried .*: not an image, for one"):
        bench(load_dataset(f"folder:{tmp_path / 'images'}"), [TINY], device="cpu")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"images": 0}, UsageError, "images 0: this value cannot be meant"),
        ({"views": 0}, UsageError, "views 0"),
        ({"workers": -1}, UsageError, "workers -1"),
        ({"backbones": []}, UsageError, "no backbones"),
        ({"device": "tpu"}, UsageError, "--device tpu"),
        ({"backbones": ["no_such_net"]}, BackboneError, "no_such_net"),
    ],
)
def test_what_cannot_be_meant(photographs, options, error, message):
    with pytest.raises(error, match=message):
        bench(photographs, **{"backbones": [TINY], "device": "cpu", **options})


def test_an_empty_data_set(photographs):
    empty = photographs.select(np.arange(0))
    with pytest.raises(DataError, match="has no images"):
        bench(empty, [TINY], device="cpu")


def test_drawn_photographs_are_jpeg_files_of_a_usual_size(tmp_path, monkeypatch):
    monkeypatch.setattr("featkit.speed._drawn._COUNT", 2)
    drawn = drawn_photographs(tmp_path, NoProgress())
    assert len(drawn) == 2
    for path in drawn.images.paths:
        with Image.open(path) as image:
            assert (image.format, image.size) == ("JPEG", (600, 450))
        assert path.stat().st_size > 150_000
    assert drawn.images.read(0).size == (600, 450)
