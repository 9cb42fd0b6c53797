import h5py
import numpy as np
import pytest

from featkit.errors import StoreError
from featkit.features import FeatureStore, describe

VALUES = np.random.default_rng(0).normal(size=(6, 4))


@pytest.fixture
def foreign(tmp_path):
    """A file as another program might have written it."""
    path = tmp_path / "theirs.h5"
    with h5py.File(path, "w") as file:
        file["train/x"] = VALUES
        file["train/y"] = np.array([1, 7, 1, -1, 7, 3])
        file["train/column"] = np.array([[1], [7], [1], [7], [7], [3]])
        file["names"] = np.array([b"mel", b"nv", b"", b"nv", b"nv", b"mel"])
        file["free"] = [f"imäge{i}" for i in range(6)]
        file["patients"] = np.array([10, 10, 11, 12, 12, 12])
        file["floats"] = np.zeros(6)
        file["short"] = np.zeros(5, dtype=int)
    return path


def test_integer_labels(foreign):
    store = FeatureStore.from_hdf5(
        foreign, features="train/x", label="train/y", image_id="free", group="patients"
    )
    assert store.classes == ("1", "3", "7")
    assert store.label.tolist() == [0, 2, 0, -1, 2, 1]
    assert store.label.dtype == np.int16
    assert store.image_id.tolist() == [f"imäge{i}" for i in range(6)]
    assert store.group.tolist() == ["10", "10", "11", "12", "12", "12"]
    np.testing.assert_array_equal(store.numpy(), VALUES.astype(np.float32))
    assert store.shape == (6, 1, 4)
    assert store.backbone_name == "theirs"


def test_text_labels_and_what_is_not_given(foreign):
    store = FeatureStore.from_hdf5(foreign, features="/train/x", label="names")
    assert store.classes == ("mel", "nv")
    assert store.label.tolist() == [0, 1, -1, 1, 1, 0]
    assert store.image_id.tolist() == store.group.tolist() == list("012345")
    assert set(store.image_hash) == {""}
    assert store.split is None
    store.verify()


def test_classes_by_name_or_by_number(foreign):
    given = ["nv", "mel", "bcc"]
    store = FeatureStore.from_hdf5(foreign, features="train/x", label="names", classes=given)
    assert store.label.tolist() == [1, 0, -1, 0, 0, 1]
    assert store.classes == ("nv", "mel", "bcc")
    given = list("abcdefgh")
    store = FeatureStore.from_hdf5(foreign, features="train/x", label="train/column", classes=given)
    assert store.label.tolist() == [1, 7, 1, 7, 7, 3]


def test_features_that_are_not_finite_are_failures(foreign):
    with h5py.File(foreign, "r+") as file:
        file["train/x"][2, 1] = np.nan
        file["train/x"][4, 0] = 1e300
    store = FeatureStore.from_hdf5(foreign, features="train/x", label="train/y")
    assert store.done.tolist() == [True, True, False, True, False, True]
    assert set(store.failures) == {"2", "4"}


def test_it_serves_like_our_own(foreign):
    store = FeatureStore.from_hdf5(foreign, features="train/x", label="train/y", backbone="uni")
    found = describe(store)
    assert (found["images"], found["done"], found["dimension"]) == (6, 6, 4)
    assert found["by_class"] == {"1": 2, "3": 1, "7": 2}
    assert store.backbone_name == "uni"
    assert store.torch().shape == (6, 4)


def test_the_fingerprint_follows_the_content(foreign, tmp_path):
    options = {"features": "train/x", "label": "train/y"}
    store = FeatureStore.from_hdf5(foreign, **options)
    copy = tmp_path / "copy.h5"
    copy.write_bytes(foreign.read_bytes())
    assert FeatureStore.from_hdf5(copy, **options).fingerprint == store.fingerprint
    with h5py.File(copy, "r+") as file:
        file["train/x"][0, 0] = 0.5
    assert FeatureStore.from_hdf5(copy, **options).fingerprint != store.fingerprint


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"features": "x"}, r"no data set 'x': its data sets are: .*train/x \(6, 4\)"),
        ({"features": "train"}, "no data set 'train'"),
        ({"label": "y"}, "no data set 'y'"),
        ({"features": "names"}, r"'names' does not fit: it is .*not numbers \(N, D\)"),
        ({"label": "floats"}, "labels are float64, neither integers nor text"),
        ({"label": "short"}, r"shape is \(5,\), but there are 6 features"),
        ({"label": "train/x"}, r"shape is \(6, 4\), but there are 6"),
        ({"image_id": "patients"}, "ids are not distinct"),
        ({"classes": ["a", "b"]}, "label 7 is outside the classes"),
        ({"label": "names", "classes": ["nv"]}, "label mel is outside the classes"),
    ],
)
def test_what_does_not_fit(foreign, options, words):
    with pytest.raises(StoreError, match=words):
        FeatureStore.from_hdf5(foreign, **{"features": "train/x", "label": "train/y", **options})


def test_a_link_that_leads_nowhere_is_not_listed(tmp_path):
    path = tmp_path / "linked.h5"
    with h5py.File(path, "w") as file:
        file["x"] = np.zeros((3, 2))
        file["ghost"] = h5py.SoftLink("/nowhere")
    with pytest.raises(StoreError, match=r"its data sets are: x \(3, 2\)\."):
        FeatureStore.from_hdf5(path, features="ghost", label="y")
