import multiprocessing
import subprocess
import sys

import fsspec.config
import pytest

from featkit.data.places import RemoteError, entry_of, fetch, store
from featkit.errors import DataError


@pytest.fixture
def photo(bucket):
    bucket.put("photo.jpg", bytes(range(200)))
    bucket.faults.requests.clear()
    return f"{bucket.url}/photo.jpg"


def failing(times, fault):
    """A rule by which the first so many requests fail."""
    left = [times]

    def rule(method, path):
        left[0] -= 1
        return fault if left[0] >= 0 else None

    return rule


def test_a_file_is_one_request(bucket, photo):
    assert fetch(photo) == bytes(range(200))
    assert fetch(photo, 10, 20) == bytes(range(10, 20))
    assert [range_ for *_, range_ in bucket.faults.requests] == ["", "bytes=10-19"]


@pytest.mark.parametrize("fault", [503, 500, 429, "reset", "short"])
@pytest.mark.parametrize("times", [1, 4])
def test_what_passes_is_tried_again(bucket, photo, fault, times):
    bucket.faults.rule = failing(times, fault)
    assert fetch(photo) == bytes(range(200))
    assert len(bucket.faults.requests) == times + 1


def test_tries_are_bounded_and_not_multiplied_by_the_clients_own(bucket, photo):
    bucket.faults.rule = lambda method, path: 503
    with pytest.raises(RemoteError) as caught:
        fetch(photo)
    assert caught.value.strerror == "not readable after 5 tries (503 Slow Down)"
    assert caught.value.filename == photo
    assert len(bucket.faults.requests) == 5


def test_a_silent_server_is_given_up(bucket, photo, monkeypatch):
    monkeypatch.setattr(store, "_TIMEOUT", 0.2)
    fetch(photo)
    bucket.faults.rule = lambda method, path: "hang"
    with pytest.raises(RemoteError, match=r"not readable after 5 tries \(no answer in time\)"):
        fetch(photo)


def test_patience_ends_with_time_too(bucket, photo, monkeypatch):
    monkeypatch.setattr(store, "_PATIENCE", 0.0)
    bucket.faults.rule = lambda method, path: 503
    with pytest.raises(RemoteError, match=r"not readable \(503"):
        fetch(photo)


def test_pauses_grow_and_are_drawn(bucket, photo, monkeypatch):
    pauses = []
    monkeypatch.setattr(store, "_FIRST_PAUSE", 0.5)
    monkeypatch.setattr(store.time, "sleep", pauses.append)
    bucket.faults.rule = failing(4, 503)
    fetch(photo)
    assert len(pauses) == 4
    for number, pause in enumerate(pauses):
        assert 0.25 * 2**number <= pause <= 0.5 * 2**number


@pytest.mark.parametrize(
    ("fault", "reason"),
    [(403, "not readable (403 Access Denied)"), (400, "not readable (400 Unwell)")],
)
def test_refusals_are_final(bucket, photo, fault, reason):
    bucket.faults.rule = lambda method, path: fault
    with pytest.raises(RemoteError) as caught:
        fetch(photo)
    assert caught.value.strerror == reason
    assert len(bucket.faults.requests) == 1


def test_a_file_that_is_not_there(bucket):
    with pytest.raises(FileNotFoundError, match="file not found"):
        fetch(f"{bucket.url}/none.jpg")
    assert len(bucket.faults.gets("none.jpg")) == 1
    with pytest.raises(FileNotFoundError):
        fetch("s3://no-such-bucket-anywhere/none.jpg")


def test_without_credentials(photo, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    store._connected.cache_clear()
    with pytest.raises(RemoteError, match=r"not readable \(.*credentials"):
        fetch(photo)
    monkeypatch.setitem(fsspec.config.conf, "s3", {"anon": "true"})
    store._connected.cache_clear()
    assert len(fetch(photo)) == 200


def test_a_server_that_is_not_there(impatient):
    with pytest.raises(RemoteError, match=r"not readable after 5 tries \(.*connect"):
        fetch("http://127.0.0.1:9/a.jpg")


@pytest.mark.parametrize("fault", [503, "reset", "short"])
def test_web_servers_are_tried_again_too(web, fault):
    (web.folder / "a.jpg").write_bytes(b"hello")
    web.faults.rule = failing(3, fault)
    assert fetch(f"{web.url}/a.jpg") == b"hello"
    assert fetch(f"{web.url}/a.jpg", 1, 3) == b"el"
    web.faults.rule = failing(2, 503)
    assert entry_of(f"{web.url}/a.jpg").size == 5


def test_asking_for_a_file_that_is_there_is_tried_again(web):
    """fsspec says that a file is not there whatever went wrong."""
    (web.folder / "a.jpg").write_bytes(b"hello")
    for fault in (503, "reset"):
        web.faults.rule = failing(4, fault)
        assert entry_of(f"{web.url}/a.jpg").size == 5
    web.faults.rule = lambda method, path: "reset"
    with pytest.raises(RemoteError, match="not readable after 5 tries"):
        entry_of(f"{web.url}/a.jpg")
    web.faults.rule = lambda method, path: None
    with pytest.raises(FileNotFoundError):
        entry_of(f"{web.url}/b.jpg")


def test_a_server_without_ranges_is_found_out(web):
    (web.folder / "a.tar").write_bytes(b"hello")
    web.ranges = False
    with pytest.raises(RemoteError, match="sends whole files only where a range of bytes was ask"):
        fetch(f"{web.url}/a.tar", 1, 3)


def test_entries_tell_one_content_from_another(bucket, photo, web):
    (web.folder / "a.jpg").write_bytes(b"hello")
    for url, put in (
        (photo, lambda: bucket.put("photo.jpg", bytes(200))),
        (f"{web.url}/a.jpg", lambda: (web.folder / "a.jpg").write_bytes(b"other")),
    ):
        before = entry_of(url)
        assert entry_of(url) == before
        put()
        after = entry_of(url)
        assert after.size == before.size
        assert after.token != before.token
        assert after.token.startswith(f"{after.size}-")


def test_a_missing_package_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)
    store._connected.cache_clear()
    with pytest.raises(DataError, match=r"cannot read s3://b: .*s3fs.*Install featkit\[remote\]"):
        fetch("s3://b/a.jpg")


def test_an_unknown_scheme():
    with pytest.raises(DataError, match="cannot read nonsense://b: protocol not known"):
        fetch("nonsense://b/a.jpg")


def _length(url):
    return len(fetch(url))


def test_connections_are_a_process_own(bucket, photo):
    assert _length(photo) == 200
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply_async(_length, (photo,)).get(timeout=30) == 200


def test_nothing_of_it_is_imported_before_it_is_needed():
    code = (
        "import sys, featkit.data, featkit_cli.main\n"
        "print(*sorted({'fsspec', 's3fs', 'aiohttp', 'botocore'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
