import pytest

from featkit.data.places import RemotePath, as_place, is_url


@pytest.fixture
def tree(bucket):
    for key in ("data/a.csv", "data/sub/deep/b.jpg", "data/sub/a.jpg", "data/c d/x#1?.png"):
        bucket.put(key, b"line 1\nline 2\n")
    bucket.faults.requests.clear()
    return as_place(f"{bucket.url}/data/")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("s3://b/c", True),
        ("https://h", True),
        ("C:\\data", False),
        ("ham10000:s3://b", False),
        ("a/b", False),
        ("://x", False),
    ],
)
def test_urls(text, expected):
    assert is_url(text) is expected


def test_a_file_url_is_a_local_path(tmp_path):
    assert as_place(f"file://{tmp_path}") == tmp_path
    assert as_place(tmp_path) is tmp_path


def test_looks_like_a_path(tree, bucket):
    assert tree.is_dir() and tree.exists() and not tree.is_file()
    assert tree.name == "data"
    assert [child.name for child in tree.iterdir()] == ["c d", "sub", "a.csv"]
    table = tree / "a.csv"
    assert table.is_file() and not table.is_dir()
    assert (table.suffix, table.stem, str(table)) == (".csv", "a", f"{bucket.url}/data/a.csv")
    assert (tree / "sub" / "deep").parent == tree / "sub/deep/.." == tree / "sub"
    assert tree / "" == tree / "." == tree
    assert not (tree / "sub" / "none").exists()
    assert (tree / "c d" / "x#1?.png").is_file()
    with table.open(encoding="utf-8") as handle:
        assert handle.readline() == "line 1\n"
    assert (tree / "sub/a.jpg").open("rb").read() == b"line 1\nline 2\n"


def test_everything_below_is_listed_by_one_request(tree, bucket):
    assert not bucket.faults.requests
    [child.is_dir() for child in tree.iterdir()]
    (tree / "sub" / "deep" / "b.jpg").is_file()
    assert tree.token(f"{tree}/sub/a.jpg").startswith("14-")
    assert len(bucket.faults.requests) == 1


def test_above_the_listing(tree, bucket):
    assert tree.parent == RemotePath(bucket.url)
    assert tree.parent.parent == tree.parent
    assert (tree / "../data/a.csv").is_file()
    assert tree.parent.name == bucket.url.removeprefix("s3://")


def test_a_file_itself(tree, bucket):
    table = as_place(f"{bucket.url}/data/a.csv")
    assert table.is_file() and not table.is_dir()
    assert table.entry().size == 14
    assert table.parent.is_dir()
    assert (table.parent / "sub" / "a.jpg").is_file()


def test_keys_that_are_no_paths(bucket):
    for key in ("d/a.jpg", "d//b.jpg", "d/", "d/../c.jpg", "d/x/./e.jpg", "d/..f.jpg"):
        bucket.put(key, b"x")
    place = as_place(f"{bucket.url}/d")
    assert place.is_dir() and not place.is_file()
    assert sorted(child.name for child in place.iterdir()) == ["..f.jpg", "a.jpg"]


def test_nothing_there(bucket):
    assert not as_place(f"{bucket.url}/none").exists()
    assert not as_place("s3://no-such-bucket-anywhere").exists()


def test_a_thousand_files_are_a_page(bucket):
    bucket.put_at_once(f"many/{number // 10}/{number}.jpg" for number in range(1100))
    place = as_place(f"{bucket.url}/many")
    assert sum(len(folder.file_names()) for folder in place.iterdir()) == 1100
    assert len(bucket.faults.requests) == 2


def test_a_page_that_fails_does_not_begin_the_listing_anew(bucket, tree):
    failed = []

    def rule(method, path):
        failed.append(path)
        return 503 if len(failed) == 1 else None

    bucket.faults.rule = rule
    assert tree.is_dir()
    assert len(failed) == 2


def test_pages_of_links(web):
    (web.folder / "a b").mkdir()
    (web.folder / "a b" / "x y.png").write_bytes(b"pixels")
    place = as_place(web.url)
    assert [child.name for child in place.iterdir()] == ["a b"]
    assert (place / "a b" / "x y.png").open("rb").read() == b"pixels"
    assert as_place(f"{web.url}/a b/x y.png?token=1").name == "x y.png"


def test_a_folder_with_a_dot(web):
    (web.folder / "v1.2").mkdir()
    (web.folder / "v1.2" / "x.png").touch()
    assert as_place(f"{web.url}/v1.2").is_dir()


def test_a_page_of_links_that_fails_loses_no_folder(web, monkeypatch):
    for name in ("a", "b"):
        (web.folder / name).mkdir()
        (web.folder / name / "x.png").touch()
    web.faults.rule = lambda method, path: "reset" if path.startswith("/b") else None
    with pytest.raises(OSError, match="not readable after 5 tries"):
        as_place(web.url).is_dir()
