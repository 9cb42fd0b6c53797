import pickle
import shutil

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.errors import DataError, StoreError
from featkit.features import FeatureStore, _job, describe, extract

CPU = {"device": "cpu", "precision": "fp32", "workers": 2}
COUNT, SHARD = 1200, 512


@pytest.fixture(scope="module")
def made(tmp_path_factory, fakes):
    """A store in one file and the same in three shards."""
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in {"plain": COUNT, "f": COUNT - 1}.items():
            patch.setattr(_job, "_ONE_FILE", limit)
            patch.setattr(_job, "_SHARD_ROWS", SHARD)
            broken = {5: "0 bytes", 700: "not an image"}
            dataset = fakes.dataset(COUNT, broken=broken)
            extract(dataset, fakes.backbone(), folder / f"{name}.h5", **CPU)
    return folder


@pytest.fixture
def copy(made, tmp_path):
    shutil.copytree(made, tmp_path / "copy")
    return tmp_path / "copy" / "f.h5"


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr(_job, "_ONE_FILE", 100)
    monkeypatch.setattr(_job, "_SHARD_ROWS", SHARD)


def shards(path):
    return sorted(path.with_name(f"{path.name}.shards").iterdir())


def test_it_reads_like_a_store_in_one_file(made):
    store, plain = FeatureStore.open(made / "f.h5"), FeatureStore.open(made / "plain.h5")
    assert (store.shards, plain.shards) == (3, 0)
    np.testing.assert_array_equal(store.numpy(), plain.numpy())
    for name in ("image_id", "label", "group", "done", "image_hash"):
        np.testing.assert_array_equal(getattr(store, name), getattr(plain, name), strict=True)
    assert dict(store.failures) == dict(plain.failures) == {
        "image5": "0 bytes", "image700": "not an image"
    }  # fmt: skip
    assert store.metadata["age"].tolist() == plain.metadata["age"].tolist()
    store.verify()


@settings(max_examples=30, deadline=None)
@given(rows=st.lists(st.integers(0, COUNT - 1), max_size=20))
def test_any_rows_in_any_order(made, rows):
    store, plain = FeatureStore.open(made / "f.h5"), FeatureStore.open(made / "plain.h5")
    np.testing.assert_array_equal(store.numpy(rows=rows), plain.numpy(rows=rows))


def test_columns_are_read_when_they_are_asked_for(made):
    store = FeatureStore.open(made / "f.h5")
    store.numpy(rows=[1, 1100])
    assert not {"image_id", "group", "label", "done", "image_hash"} & vars(store).keys()
    assert store.label is store.label
    other = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(other.group, store.group)
    with pytest.raises(AttributeError, match="no attribute 'labels'"):
        store.labels  # noqa: B018


def test_columns_of_a_file_that_has_changed(made, copy, fakes):
    store = FeatureStore.open(copy)
    other = fakes.backbone(weights_sha256="cd" * 32)
    extract(fakes.dataset(COUNT), other, copy, fresh=True, **CPU)
    with pytest.raises(StoreError, match="it has changed since it was opened"):
        store.label  # noqa: B018
    with pytest.raises(StoreError, match="it has changed since it was opened"):
        store.metadata["age"]


def test_other_programs_see_the_features_wherever_it_is_moved(made, tmp_path, monkeypatch):
    shutil.copytree(made, tmp_path / "elsewhere")
    path = (tmp_path / "elsewhere" / "f.h5").rename(tmp_path / "elsewhere" / "renamed.h5")
    monkeypatch.chdir("/")
    expected = FeatureStore.open(made / "plain.h5").numpy()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["features"][...], expected)
    np.testing.assert_array_equal(FeatureStore.open(path).numpy(), expected)


def test_a_missing_shard_is_named_when_the_store_is_opened(copy):
    store = FeatureStore.open(copy)
    _, second, third = shards(copy)
    second.unlink()
    with pytest.raises(StoreError, match=rf"{second.name}: there is no such file"):
        FeatureStore.open(copy)
    with pytest.raises(StoreError, match=rf"{second.name}"):
        store.numpy()
    assert np.isfinite(store.numpy(rows=[0, 1199])).all()
    third.unlink()
    with pytest.raises(StoreError, match=rf"{second.name}: .*and 1 more"):
        FeatureStore.open(copy)
    shutil.rmtree(copy.with_name("f.h5.shards"))
    with pytest.raises(StoreError, match="and 2 more"):
        FeatureStore.open(copy)


def test_another_shard_in_its_place(copy):
    first, second, _ = shards(copy)
    shutil.copy(second, first)
    with pytest.raises(StoreError, match=rf"{first.name}: it does not belong to this store"):
        FeatureStore.open(copy).numpy(rows=[3])
    with h5py.File(second, "r+") as file:
        file.attrs["job"] = "0" * 16
    with pytest.raises(StoreError, match=rf"{second.name}: it does not belong to this store"):
        FeatureStore.open(copy).numpy(rows=[600])
    with pytest.raises(StoreError, match="does not belong"):
        describe(FeatureStore.open(copy), verify=True)


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_damaged_shard(copy, damage):
    _, second, _ = shards(copy)
    with h5py.File(second) as file:
        offset = file["features"].id.get_chunk_info(0).byte_offset
    content = bytearray(second.read_bytes())
    content[offset + 40] ^= 1
    second.write_bytes({"cut": content[:-90], "flipped": content, "empty": b""}[damage])
    store = FeatureStore.open(copy)
    with pytest.raises(StoreError, match=rf"{second.name}"):
        store.numpy()
    with pytest.raises(StoreError, match=rf"{second.name}"):
        store.verify()
    assert np.isfinite(store.numpy(rows=[0, 1199])).all()


def test_the_attribute_cannot_lead_out_of_the_folder(copy, tmp_path):
    shutil.move(copy.with_name("f.h5.shards"), tmp_path / "outside")
    with h5py.File(copy, "r+") as file:
        told = file.attrs["shards"].replace("f.h5.shards", "../outside")
        file.attrs["shards"] = told
        del file.attrs["checksum"]
    with pytest.raises(StoreError, match="there is no such file"):
        FeatureStore.open(copy)


def test_a_description_is_quick_unless_all_is_asked_for(made):
    store = FeatureStore.open(made / "f.h5")
    found = describe(store)
    assert (found["checksums"], found["groups"], found["shards"]) == (
        "not checked",
        "not counted",
        3,
    )
    assert (found["done"], found["unlabelled"]) == (COUNT - 2, COUNT // 4)
    files = [made / "f.h5", *shards(made / "f.h5")]
    assert found["bytes"] == sum(path.stat().st_size for path in files)
    assert describe(store, verify=True)["groups"] == COUNT // 2


@pytest.mark.parametrize("reported", [300, 700, 1200])
def test_an_interrupted_job_keeps_its_shards(tmp_path, fakes, made, small_shards, reported):
    broken = {5: "0 bytes", 700: "not an image"}
    dataset, backbone = fakes.dataset(COUNT, broken=broken), fakes.backbone()
    out = tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=reported), **CPU)
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.glob("f.h5.shards/shard*")}
    assert len(kept) == reported // SHARD
    recorder = fakes.recorder()
    store = extract(dataset, backbone, out, progress=recorder, **CPU)
    assert recorder.notes[-1] == "2 failed"
    assert recorder.starts[0][2] == reported // 256 * 256
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert sorted(path.name for path in tmp_path.iterdir()) == [".f.h5.lock", "f.h5", "f.h5.shards"]
    np.testing.assert_array_equal(store.numpy(), FeatureStore.open(made / "plain.h5").numpy())


def test_a_damaged_shard_of_an_unfinished_job_is_made_again(tmp_path, fakes, made, small_shards):
    broken = {5: "0 bytes", 700: "not an image"}
    dataset, backbone = fakes.dataset(COUNT, broken=broken), fakes.backbone()
    out = tmp_path / "f.h5"
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, backbone, out, progress=fakes.recorder(stop_after=800), **CPU)
    [shard] = shards(out)
    shard.write_bytes(shard.read_bytes()[:-50])
    recorder = fakes.recorder()
    store = extract(dataset, backbone, out, progress=recorder, **CPU)
    assert recorder.starts[0][2] == 256
    np.testing.assert_array_equal(store.numpy(), FeatureStore.open(made / "plain.h5").numpy())


def test_fresh_replaces_shards_only_when_the_new_ones_are_whole(copy, fakes, small_shards):
    before, old = FeatureStore.open(copy).numpy(), shards(copy)
    other = fakes.backbone(fakes.network(scale=2.0), weights_sha256="cd" * 32)
    dataset = fakes.dataset(COUNT)
    with pytest.raises(KeyboardInterrupt):
        extract(dataset, other, copy, fresh=True, progress=fakes.recorder(stop_after=800), **CPU)
    np.testing.assert_array_equal(FeatureStore.open(copy).numpy(), before)
    store = extract(dataset, other, copy, fresh=True, **CPU)
    assert not any(path.exists() for path in old)
    assert len(shards(copy)) == 3
    assert np.isfinite(store.numpy()).all()


def test_a_store_in_one_file_takes_the_place_of_one_in_shards(copy, fakes):
    other = fakes.backbone(weights_sha256="cd" * 32)
    store = extract(fakes.dataset(300), other, copy, fresh=True, **CPU)
    assert store.shards == 0
    assert not copy.with_name("f.h5.shards").exists()


def test_no_image_at_all_leaves_nothing(tmp_path, fakes, small_shards):
    dataset = fakes.dataset(600, broken=dict.fromkeys(range(600), "0 bytes"))
    with pytest.raises(DataError, match="none of the 600 images"):
        extract(dataset, fakes.backbone(), tmp_path / "f.h5", **CPU)
    assert [path.name for path in tmp_path.iterdir()] == [".f.h5.lock"]
