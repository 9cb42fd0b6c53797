import pickle

import h5py
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from featkit.errors import StoreError
from featkit.features import FeatureStore, extract


@pytest.fixture
def store(whole):
    return FeatureStore.open(whole)


def stored(path):
    with h5py.File(path) as file:
        return file["features"][...]


def test_the_file_has_the_documented_layout(whole):
    with h5py.File(whole) as file:
        assert set(file) == {
            "features", "image_id", "label", "group", "done", "image_hash", "split",
            "metadata", "failures",
        }  # fmt: skip
        assert file["features"].shape == (600, 2, 12)
        assert file["features"].fletcher32
        assert file["label"].dtype == np.int16
        assert file["done"].dtype == np.uint8
        assert file["image_id"].asstr()[0] == "image0"
        assert file["failures/reason"].asstr()[...].tolist() == ["0 bytes", "not an image"]
        assert file.attrs["schema"] == 1


def test_numpy_gives_the_plain_view(store, whole):
    np.testing.assert_array_equal(store.numpy(), stored(whole)[:, 0])
    np.testing.assert_array_equal(store.numpy(views="all"), stored(whole))
    np.testing.assert_array_equal(store.features, stored(whole)[:, 0])
    assert store.features is store.features
    assert store.numpy().dtype == np.float32


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.integers(0, 599), max_size=40))
def test_rows_come_in_the_order_asked_for(store, whole, rows):
    expected = stored(whole)[np.array(rows, dtype=int)]
    np.testing.assert_array_equal(store.numpy(rows=rows, views="all"), expected)


def test_a_selection_reaches_over_blocks(tmp_path):
    values = np.random.default_rng(0).normal(size=(3000, 3)).astype(np.float32)
    with h5py.File(tmp_path / "f.h5", "w") as file:
        file["x"], file["y"] = values, np.zeros(3000, dtype=int)
    store = FeatureStore.from_hdf5(tmp_path / "f.h5", features="x", label="y")
    rows = np.random.default_rng(1).permutation(3000)[:500]
    np.testing.assert_array_equal(store.numpy(rows=rows), values[rows])
    np.testing.assert_array_equal(store.numpy(rows=[2999, 1024, 1023]), values[[2999, 1024, 1023]])
    np.testing.assert_array_equal(store.numpy(), values)


def test_booleans_select_rows(store):
    expected = store.numpy()[store.done]
    np.testing.assert_array_equal(store.numpy(rows=store.done), expected)
    assert np.isfinite(expected).all()
    assert expected.shape == (598, 12)


@pytest.mark.parametrize("rows", [[600], [-1], [0.5], [True, False]])
def test_rows_that_are_not_there(store, rows):
    with pytest.raises(IndexError, match="whole numbers from 0 to 599"):
        store.numpy(rows=rows)


def test_torch(store):
    tensor = store.torch(rows=[5, 4])
    assert tensor.dtype == torch.float32
    np.testing.assert_array_equal(tensor.numpy(), store.numpy()[[5, 4]])


def test_pandas(store):
    table = store.pandas()
    assert list(table.columns[:5]) == ["image_id", "label", "group", "done", "age"]
    assert table["label"][1:4].tolist() == ["a", "b", "ç"]
    assert table["label"][[0, 4]].isna().all()
    np.testing.assert_array_equal(table[[f"f{i}" for i in range(12)]], store.numpy())
    assert table["f0"].isna().sum() == 2


def test_the_columns(store):
    assert store.shape == (600, 2, 12)
    assert len(store) == 600
    assert store.classes == ("a", "b", "ç")
    assert store.split.tolist() == ["train"] * 500 + ["test"] * 100
    assert store.failures == {"image3": "0 bytes", "image599": "not an image"}
    assert np.flatnonzero(~store.done).tolist() == [3, 599]
    assert store.label.dtype == np.int16
    assert store.dataset_name == "fake:noise"
    assert "600 images, 2 views, 12 features" in repr(store)


def test_stores_can_be_sent_to_other_processes(store):
    copy = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(copy.numpy(), store.numpy())


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"spec": "timm:resnet50.a1_in1k"}, "resnet50.a1_in1k"),
        (
            {"spec": "local-dir:../shared/weights/mobilenetv2_100.tf_in1k"},
            "mobilenetv2_100.tf_in1k",
        ),
        ({"spec": "local-dir:/weights/here/"}, "here"),
        ({"spec": "local-dir:."}, "small"),
        ({"spec": "timm:vit", "pooling": "cls+avg"}, "vit+cls+avg"),
        ({"spec": "resnet18", "random_weights": True}, "resnet18+random"),
    ],
)
def test_backbone_name(tmp_path, fakes, fields, name):
    store = extract(fakes.dataset(3), fakes.backbone(**fields), tmp_path / "f.h5", device="cpu")
    assert store.backbone_name == name
    assert store.backbone_fingerprint == fakes.backbone(**fields).fingerprint


def test_verify_finds_a_changed_byte(whole, tmp_path):
    content = bytearray(whole.read_bytes())
    with h5py.File(whole) as file:
        place = file["features"].id.get_chunk_info(0).byte_offset
    content[place + 1234] ^= 1
    damaged = tmp_path / "damaged.h5"
    damaged.write_bytes(content)
    store = FeatureStore.open(damaged)
    with pytest.raises(StoreError, match=r"damaged\.h5: the file is damaged: a checksum is wrong"):
        store.verify()
    with pytest.raises(StoreError, match="checksum"):
        store.numpy()
    FeatureStore.open(whole).verify()


def test_verify_finds_features_that_are_not_numbers(whole, tmp_path):
    path = tmp_path / "f.h5"
    path.write_bytes(whole.read_bytes())
    with h5py.File(path, "r+") as file:
        file["features"][7] = np.nan
    with pytest.raises(StoreError, match="no finite features"):
        FeatureStore.open(path).verify()


def test_a_file_that_changed_under_the_store(whole, tmp_path):
    path = tmp_path / "f.h5"
    path.write_bytes(whole.read_bytes())
    store = FeatureStore.open(path)
    with h5py.File(path, "w") as file:
        file["features"] = np.zeros((2, 2, 12))
    with pytest.raises(StoreError, match="changed since it was opened"):
        store.numpy()
