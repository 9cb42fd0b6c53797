"""Every layout in a bucket is the data set that it is on disk."""

import pickle

import numpy as np
import pytest

from featkit.data import CsvColumns, ImageError, check_dataset, load_dataset, pixel_hash
from featkit.errors import DataError


def isic(folder, put_images, put_table):
    put_images(folder / "ISIC2018_Task3_Training_Input", ["ISIC_1.jpg", "ISIC_2.jpg"])
    rows = [("image", "MEL", "NV"), ("ISIC_2", 1, 0), ("ISIC_1", 0, 1)]
    truth = folder / "ISIC2018_Task3_Training_GroundTruth"
    put_table(truth / "ISIC2018_Task3_Training_GroundTruth.csv", rows)
    rows = [("image", "lesion_id"), ("ISIC_1", "L"), ("ISIC_2", "L")]
    put_table(folder / "ISIC2018_Task3_Training_LesionGroupings.csv", rows)
    return ""


def folders(folder, put_images, put_table):
    put_images(
        folder, ["train/b c/2.png", "train/a/1.jpeg", "test/a/deep/3.TIFF", "test/b c/4.png"]
    )
    return ""


def table(folder, put_images, put_table):
    put_images(folder, ["x/1.png", "x/2.jpg", "y/3.png"])
    rows = [("path", "label"), ("y/3", "a"), ("x/1.png", "b"), ("./x/none.png", "b")]
    put_table(folder / "list.csv", rows)
    return "/list.csv"


def hmnist(folder, put_images, put_table):
    header = [*(f"pixel{n:04d}" for n in range(4)), "label"]
    put_table(folder / "h.csv", [header, [1, 2, 3, 4, 0], [5, 6, 7, 8, 6]])
    return "/h.csv"


def medmnist(folder, put_images, put_table):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 4), dtype=np.uint8)
    parts = {f"{split}_images": pixels for split in ("train", "val", "test")}
    labels = {f"{split}_labels": np.array([[0], [1], [1]]) for split in ("train", "val", "test")}
    folder.mkdir()
    np.savez_compressed(folder / "m.npz", **parts, **labels)
    return "/m.npz"


def same(left, right):
    """Say that two data sets are equal but for the images' signatures."""
    assert left.name == right.name
    assert left.classes == right.classes
    assert left.unlisted == right.unlisted
    for name in ("image_id", "label", "group", "split"):
        np.testing.assert_array_equal(getattr(left, name), getattr(right, name))
    assert list(left.metadata) == list(right.metadata)
    for name, values in left.metadata.items():
        np.testing.assert_array_equal(values, right.metadata[name])
    assert [seen(left, row) for row in range(len(left))] == [
        seen(right, row) for row in range(len(right))
    ]


def seen(dataset, row):
    try:
        return pixel_hash(dataset.images.read(row))
    except ImageError as error:
        return error.reason


@pytest.mark.parametrize("make", [isic, folders, table, hmnist, medmnist])
def test_every_layout(make, tmp_path, put_images, put_table, bucket):
    end = make(tmp_path / "data", put_images, put_table)
    url = bucket.upload(tmp_path / "data", "deep/data/")
    local = load_dataset(f"{tmp_path}/data{end}")
    same(load_dataset(f"{url}{end}"), local)
    same(load_dataset(f"{local.name.partition(':')[0]}:{url}{end}"), local)


def test_ham10000(ham10000, bucket):
    (ham10000 / "HAM10000_images_part_1" / "ISIC_2.jpg").rename(
        ham10000 / "HAM10000_images_part_1" / "extra.jpg"
    )
    local = load_dataset(ham10000)
    url = bucket.upload(ham10000, "ham/")
    remote = load_dataset(url)
    same(remote, local)
    same(load_dataset(f"ham10000:{url}/"), local)
    same(
        load_dataset(f"{url}/HAM10000_metadata.csv"),
        load_dataset(f"{ham10000}/HAM10000_metadata.csv"),
    )
    same(pickle.loads(pickle.dumps(remote)), local)
    assert remote.images.concurrent_reads > 1
    assert local.images.concurrent_reads == 1
    assert remote.origin == (url,)


def test_a_fingerprint_costs_no_request_and_changes_with_an_image(ham10000, bucket):
    url = bucket.upload(ham10000, "ham/")
    remote = load_dataset(url)
    bucket.faults.requests.clear()
    before = remote.fingerprint
    assert not bucket.faults.requests
    assert load_dataset(url).fingerprint == before
    bucket.put("ham/HAM10000_images_part_1/ISIC_1.jpg", b"another")
    assert load_dataset(url).fingerprint != before
    assert remote.select(np.array([0, 2])).fingerprint != before


def test_a_store_with_bad_days_loses_nothing(ham10000, bucket):
    url = bucket.upload(ham10000, "ham/")
    count = [0]

    def rule(method, path):
        count[0] += 1
        return ("reset", 503, None)[count[0] % 3]

    bucket.faults.rule = rule
    same(load_dataset(url), load_dataset(ham10000))


def test_what_cannot_be_read_is_a_line_of_the_ledger(ham10000, bucket):
    data = load_dataset(bucket.upload(ham10000, "ham/"))
    faults = {"ISIC_1.jpg": 503, "ISIC_2.jpg": 404, "ISIC_3.JPG": 403}
    bucket.faults.rule = lambda method, path: faults.get(path.rpartition("/")[2])
    found = check_dataset(data)
    assert found.missing == ("ISIC_2",)
    assert found.unreadable == {
        "ISIC_3": "not readable (403 Access Denied)",
        "ISIC_1": "not readable after 5 tries (503 Slow Down)",
    }
    assert len(bucket.faults.gets("ISIC_1")) == 5


def test_a_store_that_refuses_or_fails_at_once_is_an_error(ham10000, bucket):
    url = bucket.upload(ham10000, "ham/")
    bucket.faults.rule = lambda method, path: 403
    with pytest.raises(
        DataError,
        match=r"cannot read s3://.*: not readable \(403 access denied\)\. Check the address",
    ):
        load_dataset(url)
    bucket.faults.rule = lambda method, path: 403 if path.endswith(".csv") else None
    with pytest.raises(DataError, match=r"HAM10000_metadata\.csv.*: not readable \(403 access den"):
        load_dataset(url)


@pytest.mark.parametrize("kind", ["", "ham10000:", "webdataset:"])
def test_an_address_with_nothing(bucket, kind):
    with pytest.raises(DataError, match=r"s3://.*/none does not exist: the address is mistyped"):
        load_dataset(f"{kind}{bucket.url}/none")


def test_a_local_table_of_urls(tmp_path, put_images, put_table, web, bucket):
    put_images(web.folder, ["a.png", "b.png"])
    web.index = False
    bucket.put("c.png", (web.folder / "b.png").read_bytes())
    put_images(tmp_path, ["d.png"])
    names = [f"{web.url}/a.png", f"{bucket.url}/c.png", "d.png", f"{web.url}/none.png"]
    rows = [("image", "label"), *((name, "x") for name in names)]
    data = load_dataset(put_table(tmp_path / "t.csv", rows))
    assert [seen(data, row) == "file not found" for row in range(4)] == [False] * 3 + [True]
    before = data.fingerprint
    put_images(web.folder, ["b.png", "a.png"])
    assert data.fingerprint == before
    assert load_dataset(tmp_path / "t.csv").fingerprint != before


def test_a_table_on_a_web_server_that_lists_nothing(put_images, put_table, web):
    put_images(web.folder / "set", ["im/a.png", "im/b.png"])
    rows = [("image", "label"), ("im/a.png", "x"), ("im/b.png", "y")]
    put_table(web.folder / "set" / "t.csv", rows)
    web.index = False
    data = load_dataset(f"{web.url}/set/t.csv")
    assert [data.images.read(row).size for row in (0, 1)] == [(8, 6), (9, 6)]
    assert data.images.signature(0) != data.images.signature(1)
    with pytest.raises(DataError, match=r"/set does not exist: .*its server lists no files there"):
        load_dataset(f"{web.url}/set")


def test_a_web_server_that_lists_its_folders(ham10000, web):
    ham10000.rename(web.folder / "ham")
    same(load_dataset(f"{web.url}/ham"), load_dataset(web.folder / "ham"))


def test_a_root_for_a_local_table(tmp_path, put_images, put_table, bucket):
    put_images(tmp_path / "x", ["im/a.png"])
    url = bucket.upload(tmp_path / "x")
    columns = CsvColumns("image", "label", root=url)
    table = put_table(tmp_path / "t.csv", [("image", "label"), ("im/a", "x")])
    assert load_dataset(table, columns=columns).images.read(0).size == (8, 6)


def test_a_signature_that_cannot_be_asked_for(tmp_path, put_table, web):
    rows = [("image", "label"), (f"{web.url}/a.png", "x")]
    data = load_dataset(put_table(tmp_path / "t.csv", rows))
    assert data.images.signature(0) == ""
    web.faults.rule = lambda method, path: 503
    with pytest.raises(DataError, match="the store does not answer: not readable after 5 tries"):
        data.images.signature(0)


def test_a_store_in_memory():
    import fsspec

    with fsspec.open("memory://set/a/1.png", "wb") as file:
        file.write(b"no image")
    with fsspec.open("memory://set/b/1.png", "wb") as file:
        file.write(b"")
    data = load_dataset("memory://set")
    assert data.image_id.tolist() == ["a/1.png", "b/1.png"]
    assert [seen(data, row) for row in (0, 1)] == ["not an image", "0 bytes"]
