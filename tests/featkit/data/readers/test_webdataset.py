import io
import json
import tarfile

import numpy as np
import pytest

from featkit.data import FileImages, ImageError, load_dataset, pixel_hash
from featkit.data.readers import _shard_index
from featkit.errors import DataError


def put_shard(path, members):
    """Write a tar file of members, (name, content) each."""
    with tarfile.open(path, "w") as archive:
        for name, content in members:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture
def pictures(tmp_path, put_images):
    """The content of six pictures."""
    put_images(tmp_path / "plain", [f"{number}.png" for number in range(6)])
    return [(tmp_path / "plain" / f"{number}.png").read_bytes() for number in range(6)]


@pytest.fixture
def shards(tmp_path, pictures):
    """Two shards of three samples, two lesions."""
    folder = tmp_path / "shards"
    folder.mkdir()
    for shard in (0, 1):
        members = []
        for number in range(3 * shard, 3 * shard + 3):
            facts = {"lesion_id": f"L{number // 2}", "age": 40 + number, "site": None, "box": [1]}
            members += [
                (f"./{number:04d}.png", pictures[number]),
                (f"./{number:04d}.cls", b"mel\n" if number < 2 else b"nv"),
                (f"./{number:04d}.json", json.dumps(facts).encode()),
            ]
        put_shard(folder / f"a-{shard:03d}.tar", members)
    return folder


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "featkit" / "shards"


def test_reads_shards_in_order(shards):
    data = load_dataset(shards)
    assert data.name == "webdataset:shards"
    assert data.image_id.tolist() == [f"{number:04d}" for number in range(6)]
    assert data.classes == ("mel", "nv")
    assert data.label.tolist() == [0, 0, 1, 1, 1, 1]
    assert data.group.tolist() == ["L0", "L0", "L1", "L1", "L2", "L2"]
    assert {name: values.tolist() for name, values in data.metadata.items()} == {
        "age": [str(40 + number) for number in range(6)],
        "site": [""] * 6,
    }
    assert data.split is None


def test_images_are_read_and_known_as_files_are(shards, tmp_path, pictures):
    data = load_dataset(shards)
    plain = FileImages([tmp_path / "plain" / f"{number}.png" for number in range(6)])
    for row in range(6):
        assert data.images.data(row) == pictures[row]
        assert data.images.signature(row) == plain.signature(row)
    chosen = data.images.select(np.array([4, 0]))
    assert [chosen.data(row) for row in (0, 1)] == [pictures[4], pictures[0]]
    assert data.images.concurrent_reads == 1


@pytest.mark.parametrize(
    "spec", ["{0}", "webdataset:{0}", "{0}/a-{{000..001}}.tar", "webdataset:{0}/a-00{{0,1}}.tar"]
)
def test_a_folder_or_a_pattern(shards, spec):
    assert load_dataset(spec.format(shards)).fingerprint == load_dataset(shards).fingerprint


def test_one_shard(shards):
    assert load_dataset(shards / "a-001.tar").image_id.tolist() == ["0003", "0004", "0005"]


def test_a_pattern_of_which_a_shard_is_missing(shards):
    with pytest.raises(DataError, match=r"cannot read .*a-002\.tar: no such file"):
        load_dataset(f"{shards}/a-{{000..002}}.tar")
    with pytest.raises(DataError, match=r"b-\{0\.\.9\}\.tar does not exist"):
        load_dataset(f"{shards}/b-{{0..9}}.tar")


def test_archives_that_were_left_beside_a_data_set_are_none(ham10000, shards):
    (shards / "a-000.tar").rename(ham10000 / "images.tar")
    assert load_dataset(ham10000).name == "ham10000:ham"


def test_the_walk_is_done_once(shards, cache, monkeypatch):
    before = load_dataset(shards).fingerprint
    assert len(list(cache.iterdir())) == 2
    monkeypatch.setattr(_shard_index.tarfile, "open", lambda **options: pytest.fail("read again"))
    assert load_dataset(shards).fingerprint == before


def test_a_changed_shard_is_walked_again(shards, pictures):
    load_dataset(shards)
    put_shard(shards / "a-001.tar", [("x.png", pictures[0])])
    data = load_dataset(shards)
    assert data.image_id.tolist() == ["0000", "0001", "0002", "x"]
    assert data.label.tolist() == [0, 0, 1, -1]
    assert data.group.tolist()[-1] == "x"


@pytest.mark.parametrize("content", [b"", b"rubbish", b"\x1f\x8b\x08 cut"])
def test_a_damaged_index_is_made_anew(shards, cache, content):
    before = load_dataset(shards).fingerprint
    for path in cache.iterdir():
        path.write_bytes(content)
    assert load_dataset(shards).fingerprint == before


def test_an_index_that_cannot_be_kept(shards, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert len(load_dataset(shards)) == 6


def test_shards_that_count_anew(tmp_path, pictures):
    folder = tmp_path / "s"
    folder.mkdir()
    for name in ("a", "b"):
        put_shard(folder / f"{name}.tar", [("0.png", pictures[0]), ("0.cls", b"3")])
    data = load_dataset(folder)
    assert data.image_id.tolist() == ["a/0", "b/0"]
    assert data.classes == ("3",)


def one(tmp_path, members):
    return load_dataset(put_shard(tmp_path / "one.tar", members))


def test_columns_of_json(tmp_path, pictures):
    facts = [
        {"image_id": f"i{n}", "dx": "nv", "patient_id": "p", "split": part}
        for n, part in enumerate(("train", "Validation"))
    ]
    members = [
        member
        for n, content in enumerate(facts)
        for member in ((f"{n}.PNG", pictures[n]), (f"{n}.json", json.dumps(content).encode()))
    ]
    data = one(tmp_path, members)
    assert data.image_id.tolist() == ["i0", "i1"]
    assert data.classes == ("nv",)
    assert data.group.tolist() == ["p", "p"]
    assert data.split.tolist() == ["train", "val"]
    assert not data.metadata


def test_endings_begin_at_the_first_dot_and_masks_are_no_images(tmp_path, pictures):
    members = [("f.1/a.seg.png", pictures[1]), ("f.1/a.png", pictures[0]), (".hidden.png", b"")]
    data = one(tmp_path, members)
    assert data.image_id.tolist() == ["f.1/a"]
    assert data.images.data(0) == pictures[0]


def test_a_sample_without_image_keeps_its_row(tmp_path, pictures):
    data = one(tmp_path, [("a.cls", b"1"), ("b.png", pictures[0]), ("c.txt", b"a caption")])
    assert data.image_id.tolist() == ["a", "b"]
    with pytest.raises(ImageError, match="file not found"):
        data.images.read(0)
    assert data.images.signature(0) == ""


@pytest.mark.parametrize(
    ("members", "cause"),
    [
        ([("a.png", b"1"), ("a.jpg", b"2")], r"sample a has several images \(png, jpg\)"),
        ([("a.json", b"{")], r"a\.json cannot be understood"),
        ([("a.json", b"[1]")], r"a\.json cannot be understood \(it is no object"),
        ([("a.cls", b"\xff")], r"a\.cls cannot be understood"),
        ([("notes.txt", b"x")], "the shards have no members KEY.jpg"),
    ],
)
def test_contents_that_cannot_be_meant(tmp_path, members, cause):
    with pytest.raises(DataError, match=cause):
        one(tmp_path, members)


def test_damaged_shards(shards):
    path = shards / "a-000.tar"
    whole = path.read_bytes()
    at = whole.index(b"./0001.png")
    for content in (b"", b"no tar file" * 100, whole[: at + 600], b"\x1f\x8b" + whole):
        path.write_bytes(content)
        with pytest.raises(
            DataError, match=r"cannot read the shard .*a-000.tar: it is compressed,"
        ):
            load_dataset(shards)
    path.write_bytes(whole[:at] + b"rubbish!" + whole[at + 8 :])
    with pytest.raises(DataError, match="a header is damaged, behind 1 samples"):
        load_dataset(shards)


def test_a_shard_that_goes_away(shards):
    data = load_dataset(shards)
    (shards / "a-000.tar").unlink()
    with pytest.raises(ImageError, match="shard not found"):
        data.images.read(0)
    assert data.images.read(5).mode == "RGB"


def test_remote_shards(shards, bucket):
    local = load_dataset(shards)
    url = bucket.upload(shards, "wds/")
    remote = load_dataset(url)
    assert len(bucket.faults.gets(".tar")) == 2
    for name in ("image_id", "label", "group"):
        np.testing.assert_array_equal(getattr(remote, name), getattr(local, name))
    assert remote.images.concurrent_reads > 1
    bucket.faults.requests.clear()
    assert [pixel_hash(remote.images.read(row)) for row in range(6)] == [
        pixel_hash(local.images.read(row)) for row in range(6)
    ]
    assert len(bucket.faults.gets(".tar")) == 6
    assert all(ranged for *_, ranged in bucket.faults.requests)
    assert len({remote.images.signature(row) for row in range(6)}) == 6
    bucket.faults.requests.clear()
    again = load_dataset(f"webdataset:{url}/a-{{000..001}}.tar")
    assert again.fingerprint == remote.fingerprint
    assert not bucket.faults.gets(".tar")


def test_shards_on_a_web_server(shards, web):
    for path in shards.iterdir():
        (web.folder / path.name).write_bytes(path.read_bytes())
    web.index = False
    data = load_dataset(f"{web.url}/a-{{000..001}}.tar")
    assert data.label.tolist() == [0, 0, 1, 1, 1, 1]
    web.faults.rule = lambda method, path: 503 if path == "/a-001.tar" else None
    assert data.images.read(0).mode == "RGB"
    with pytest.raises(ImageError, match=r"not readable after 5 tries \(503"):
        data.images.read(4)
