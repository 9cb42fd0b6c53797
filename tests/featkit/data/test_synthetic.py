import pickle
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.data._lesion import SHARES
from featkit.data.loading import load_dataset
from featkit.data.reader import ReaderOptions
from featkit.data.readers import HAM10000_CLASSES
from featkit.data.synthetic import SyntheticReader, synthetic_dataset, write_sample
from featkit.errors import StoreError, UsageError


@pytest.fixture(scope="module")
def sample():
    return synthetic_dataset(images=120, seed=5, size=48)


@pytest.fixture(scope="module")
def pixels(sample):
    return np.stack([np.asarray(sample.images.read(row)) for row in range(len(sample))])


def test_same_seed_gives_the_same_sample_and_another_seed_another(sample, pixels):
    again = synthetic_dataset(images=120, seed=5, size=48)
    other = synthetic_dataset(images=120, seed=6, size=48)
    assert again.fingerprint == sample.fingerprint != other.fingerprint
    assert np.array_equal(np.asarray(again.images.read(7)), pixels[7])
    assert not np.array_equal(np.asarray(other.images.read(7)), pixels[7])


def test_pixels_do_not_depend_on_order_threads_or_process_state(sample, pixels):
    source = pickle.loads(pickle.dumps(sample.images))
    rows = list(reversed(range(40)))
    with ThreadPoolExecutor(4) as pool:
        read = list(pool.map(lambda row: np.asarray(source.read(row)), rows))
    assert all(np.array_equal(image, pixels[row]) for row, image in zip(rows, read, strict=True))


def test_selected_rows_keep_pixels_and_columns_together(sample, pixels):
    rows = np.array([90, 3, 41])
    part = sample.select(rows)
    assert part.image_id.tolist() == [sample.image_id[row] for row in rows]
    for place, row in enumerate(rows):
        assert np.array_equal(np.asarray(part.images.read(place)), pixels[row])
        assert part.images.signature(place) == sample.images.signature(row)


@pytest.mark.parametrize("size", [16, 33, 200])
def test_any_size_is_drawn(size):
    image = synthetic_dataset(images=42, size=size).images.read(0)
    assert image.mode == "RGB"
    assert image.size == (size, size)
    assert np.asarray(image).std() > 5


def test_size_changes_sharpness_and_nothing_else():
    small, large = (synthetic_dataset(images=42, size=size) for size in (48, 192))
    for row in range(10):
        reduced = np.asarray(large.images.read(row).resize((48, 48)))
        drawn = np.asarray(small.images.read(row))
        assert np.corrcoef(reduced.ravel(), drawn.ravel())[0, 1] > 0.8
    assert small.fingerprint != large.fingerprint


def test_the_drawing_is_what_its_version_drew(sample, pixels):
    # Where this fails on purpose, raise _VERSION in synthetic.py and train featkit:tiny again.
    assert sample.images.signature(0).startswith("synthetic-1:5:48:")
    assert pixels[:5].mean(axis=(1, 2, 3)) == pytest.approx(
        [175.1, 181.7, 138.4, 177.6, 200.7], abs=0.5
    )


@settings(max_examples=30, deadline=None)
@given(images=st.integers(42, 3000), seed=st.integers(0, 2**40))
def test_every_class_has_lesions_for_five_folds_and_none_too_many_photographs(images, seed):
    dataset = synthetic_dataset(images=images, seed=seed)
    assert len(dataset) == len(set(dataset.image_id)) == images
    class_of = dict(zip(dataset.group, dataset.label, strict=True))
    assert all(class_of[g] == y for g, y in zip(dataset.group, dataset.label, strict=True))
    assert min(Counter(class_of.values()).values()) >= 6
    assert len(set(class_of.values())) == 7
    assert max(Counter(dataset.group).values()) <= 6


def test_the_whole_of_ham10000_is_matched():
    dataset = synthetic_dataset(images=10_015)
    assert dataset.classes == HAM10000_CLASSES
    shares = np.bincount(dataset.label) / len(dataset)
    assert shares == pytest.approx(SHARES, abs=0.001)
    assert len(dataset) / len(set(dataset.group)) == pytest.approx(1.34, abs=0.02)
    counts = Counter(Counter(dataset.group).values())
    assert counts[1] > counts[2] > counts[3] > counts[4] > 0


def test_metadata_belong_to_the_lesion(sample):
    assert set(sample.metadata) == {"age", "sex", "localization", "dx_type"}
    for column in sample.metadata.values():
        assert len(column) == len(sample)
        pairs = set(zip(sample.group, column, strict=True))
        assert len(pairs) == len(set(sample.group))
    ages = {float(age) for age in sample.metadata["age"] if age}
    assert all(age % 5 == 0 and 0 <= age <= 85 for age in ages)
    assert set(sample.metadata["sex"]) <= {"male", "female", "unknown"}


def test_photographs_of_one_lesion_are_alike_but_not_equal(sample, pixels):
    colour = pixels.reshape(len(sample), -1, 3).mean(axis=1)
    distance = np.linalg.norm(colour[:, None] - colour[None], axis=-1)
    same_class = sample.label[:, None] == sample.label[None]
    same_lesion = sample.group[:, None] == sample.group[None]
    pairs = ~np.eye(len(sample), dtype=bool)
    within = distance[same_lesion & pairs]
    assert within.mean() < 0.7 * distance[same_class & ~same_lesion].mean()
    assert within.min() > 0


@pytest.mark.parametrize(
    ("target", "images", "size"),
    [("", 2000, 96), ("images=50", 50, 96), ("images=50,seed=3, size=32", 50, 32)],
)
def test_reader_understands_options(target, images, size):
    dataset = SyntheticReader().read(target, ReaderOptions())
    assert len(dataset) == images
    assert dataset.images.read(0).size == (size, size)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("pictures=5", "pictures=5' is not understood: the options are images, seed and size"),
        ("images", "images' is not understood"),
        ("images=1e3", "each a whole number"),
        ("images=50,", "'' is not understood"),
        ("seed=-1", "seed=-1' is not understood"),
        ("images=41", "images lies between 42 and 1,000,000"),
        ("images=1000001", "images=1000001 is out of range"),
        ("size=15", "size lies between 16 and 2,048"),
    ],
)
def test_reader_refuses_what_it_does_not_understand(target, message):
    with pytest.raises(UsageError, match=message):
        SyntheticReader().read(target, ReaderOptions())


def test_it_is_loaded_by_name():
    dataset = load_dataset("synthetic:images=45,size=32")
    assert dataset.name == "synthetic:images=45,seed=0,size=32"
    assert dataset.fingerprint == synthetic_dataset(images=45, size=32).fingerprint


def test_reader_recognises_no_path(tmp_path):
    assert not SyntheticReader().recognises(tmp_path)


def test_written_sample_is_read_back(tmp_path):
    sample = synthetic_dataset(images=45, seed=1, size=32)
    write_sample(sample, tmp_path / "new" / "sample")
    read = load_dataset(tmp_path / "new" / "sample")
    assert read.name.startswith("ham10000:")
    for name in ("image_id", "label", "group"):
        assert getattr(read, name).tolist() == getattr(sample, name).tolist()
    assert {name: column.tolist() for name, column in read.metadata.items()} == {
        name: column.tolist() for name, column in sample.metadata.items()
    }
    drawn, stored = (np.asarray(d.images.read(9), dtype=float) for d in (sample, read))
    assert np.abs(drawn - stored).mean() < 8
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["sample"]


def test_written_sample_never_joins_other_files(tmp_path):
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(StoreError, match="is not empty"):
        write_sample(synthetic_dataset(images=42, size=16), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_sample_without_labels_is_not_written(tmp_path):
    sample = synthetic_dataset(images=42, size=16)
    sample.label[3] = -1
    with pytest.raises(UsageError, match="every image needs one of the classes"):
        write_sample(sample, tmp_path / "sample")


def test_interrupted_writing_leaves_nothing(tmp_path):
    class Interrupted:
        def start(self, *_, **__): ...
        def finish(self): ...
        def advance(self, *_, **__):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_sample(
            synthetic_dataset(images=42, size=16), tmp_path / "sample", progress=Interrupted()
        )
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_is_named(tmp_path):
    place = Path(tmp_path / "sample")
    place.write_text("a file")
    with pytest.raises(StoreError, match=r"cannot write .*sample"):
        write_sample(synthetic_dataset(images=42, size=16), place)
    assert place.read_text() == "a file"
