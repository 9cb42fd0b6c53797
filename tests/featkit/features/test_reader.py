import h5py
import numpy as np
import pytest

from featkit.errors import StoreError
from featkit.features import FeatureStore


@pytest.fixture
def copy(whole, tmp_path):
    path = tmp_path / "copy.h5"
    path.write_bytes(whole.read_bytes())
    return path


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_file_cut_short(copy, share):
    content = copy.read_bytes()
    copy.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(StoreError, match=r"cannot read .*copy\.h5: .*(cut short|not an HDF5)"):
        FeatureStore.open(copy)


def test_what_is_no_feature_file(tmp_path):
    with pytest.raises(StoreError, match=r"nowhere\.h5: there is no such file"):
        FeatureStore.open(tmp_path / "nowhere.h5")
    with pytest.raises(StoreError, match="it is a folder"):
        FeatureStore.open(tmp_path)
    (tmp_path / "text.h5").write_text("features")
    with pytest.raises(StoreError, match="not an HDF5 file"):
        FeatureStore.open(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["embeddings"] = np.zeros((3, 2))
    with pytest.raises(StoreError, match="no schema number; it holds embeddings"):
        FeatureStore.open(tmp_path / "other.h5")


def test_a_newer_schema(copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["schema"] = 2
    with pytest.raises(StoreError, match=r"newer featkit wrote it \(schema 2.*Update featkit"):
        FeatureStore.open(copy)


@pytest.mark.parametrize("name", ["features", "label", "done", "image_hash", "failures/reason"])
def test_a_missing_data_set(copy, name):
    with h5py.File(copy, "r+") as file:
        del file[name]
    with pytest.raises(StoreError, match=f"/{name} is missing"):
        FeatureStore.open(copy)


@pytest.mark.parametrize("name", ["classes", "backbone", "fingerprint"])
def test_a_missing_attribute(copy, name):
    with h5py.File(copy, "r+") as file:
        del file.attrs[name]
    with pytest.raises(StoreError, match=f"attribute {name} is missing"):
        FeatureStore.open(copy)


@pytest.mark.parametrize("name", ["label", "group", "split", "metadata/age"])
def test_rows_that_do_not_agree(copy, name):
    with h5py.File(copy, "r+") as file:
        values = file[name][:-1]
        del file[name]
        file[name] = values
    with pytest.raises(StoreError, match=rf"/{name} has \(599,\) rows, /features 600"):
        FeatureStore.open(copy)


def test_attributes_that_are_no_json(copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["classes"] = "["
    with pytest.raises(StoreError, match="damaged"):
        FeatureStore.open(copy)


def test_any_flipped_byte_is_an_error_or_harmless(whole, copy):
    content = whole.read_bytes()
    good = FeatureStore.open(whole)
    expected, columns = good.numpy(views="all"), (good.image_id, good.label, good.group)
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 150):
        broken = bytearray(content)
        broken[place] ^= 1 << int(rng.integers(8))
        copy.write_bytes(broken)
        try:
            store = FeatureStore.open(copy)
            found = store.numpy(views="all")
            columns_found = (store.image_id, store.label, store.group)
        except StoreError:
            refused += 1
            continue
        np.testing.assert_array_equal(found, expected)
        assert store.attributes == good.attributes
        for ours, theirs in zip(columns, columns_found, strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert refused > 50


def test_a_changed_attribute_does_not_pass_for_the_right_one(copy):
    with h5py.File(copy, "r+") as file:
        file.attrs["classes"] = file.attrs["classes"].replace("a", "x")
    with pytest.raises(StoreError, match="checksum of its attributes is wrong"):
        FeatureStore.open(copy)


def test_a_file_from_before_attributes_had_a_checksum(whole, copy):
    with h5py.File(copy, "r+") as file:
        del file.attrs["checksum"]
    assert FeatureStore.open(copy).attributes == FeatureStore.open(whole).attributes


def test_a_link_that_leads_nowhere_is_named(copy):
    with h5py.File(copy, "r+") as file:
        file["ghost"] = h5py.SoftLink("/nowhere")
    with pytest.raises(StoreError, match="ghost leads nowhere"):
        FeatureStore.open(copy).verify()
