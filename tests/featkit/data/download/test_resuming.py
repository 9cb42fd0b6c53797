"""One file over connections that break, from servers that lie."""

import errno
import hashlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from urllib3.exceptions import ProtocolError

from featkit.data.download import Patience
from featkit.data.download._resuming import ResumingDownloader
from featkit.data.download._web import RefusedError, Web
from featkit.errors import DataError, StoreError
from featkit.progress import NoProgress

BODY = bytes(range(256)) * 40
NAME = "host/file.bin"
PATIENCE = Patience(tries=3, first_pause_s=0.001, read_s=0.3)


class Listener(NoProgress):
    """Writes down where each attempt begins and how much it brings, in bytes."""

    def __init__(self):
        self.attempts = []

    def start(self, task, *, total, done=0, unit=""):
        self.attempts.append([round(done * 1e6), round(total * 1e6), 0])

    def advance(self, amount, *, note=""):
        self.attempts[-1][2] += round(amount * 1e6)


class Stopping(Listener):
    """Is interrupted, as by Ctrl-C, when so many bytes have come."""

    def __init__(self, most):
        super().__init__()
        self.most = most

    def advance(self, amount, *, note=""):
        super().advance(amount)
        if self.attempts[-1][2] >= self.most:
            raise KeyboardInterrupt


@pytest.fixture
def fetch(archive, tmp_path):
    """Fetch the file with what is known of it, and return what came."""
    archive.put(NAME, BODY)

    def run(size=None, listener=None, **known):
        part, web = tmp_path / "file.bin.part", Web("", PATIENCE)
        downloader = ResumingDownloader(part, web, size, None, listener or Listener(), **known)
        downloader(f"{archive.url}/{NAME}", tmp_path / "file.bin", None)
        run.md5 = downloader.md5
        return (tmp_path / "file.bin").read_bytes()

    run.part = tmp_path / "file.bin.part"
    return run


def test_in_one_piece(archive, fetch):
    listener = Listener()
    assert fetch(listener=listener) == BODY
    assert listener.attempts == [[0, len(BODY), len(BODY)]]
    assert list(fetch.part.parent.glob("*.part*")) == []


def test_dropped_connections_cost_only_what_is_missing(archive, fetch):
    archive.faults[NAME] = [("drop", 4000), ("drop", 3000)]
    listener = Listener()
    assert fetch(len(BODY), listener) == BODY
    assert archive.asked(NAME) == ["", "bytes=4000-", "bytes=7000-"]
    assert listener.attempts == [
        [0, len(BODY), 4000],
        [4000, len(BODY), 3000],
        [7000, len(BODY), len(BODY) - 7000],
    ]


def test_more_drops_than_tries_if_each_brings_something(archive, fetch):
    archive.faults[NAME] = [("drop", 500)] * 12
    assert fetch() == BODY


def test_given_up_and_continued_later(archive, fetch):
    archive.faults[NAME] = [("drop", 4000)]
    archive.always[NAME] = ("drop", 0)
    with pytest.raises(DataError, match=r"cannot download http.*the server broke the connection"):
        fetch()
    assert fetch.part.read_bytes() == BODY[:4000]
    archive.always.clear()
    archive.requests.clear()
    assert fetch() == BODY
    assert archive.asked(NAME) == ["bytes=4000-"]


def test_a_server_that_falls_silent(archive, fetch):
    archive.faults[NAME] = [("stall", 4000)]
    assert fetch() == BODY
    assert archive.asked(NAME) == ["", "bytes=4000-"]


def test_a_server_that_stays_silent(archive, fetch):
    archive.always[NAME] = ("stall", 0)
    with pytest.raises(DataError, match=r"stopped sending|in time"):
        fetch()


def test_a_server_without_ranges_begins_anew(archive, fetch):
    archive.faults[NAME] = [("drop", 4000), ("whole",)]
    listener = Listener()
    assert fetch(listener=listener) == BODY
    assert [begun for begun, *_ in listener.attempts] == [0, 0]


def test_a_server_that_breaks_and_knows_no_ranges_is_given_up(archive, fetch):
    """Bytes that came before are no progress: it would go on for ever."""
    archive.always[NAME] = ("announce", len(BODY) + 1)
    with pytest.raises(DataError, match=r"broke the connection|contradicts itself"):
        fetch()
    assert len(archive.requests) < 12


def test_a_range_that_was_not_asked_for(archive, fetch):
    archive.faults[NAME] = [("drop", 4000), ("shift", 10)]
    assert fetch() == BODY


def test_another_file_under_the_address_begins_anew(archive, fetch):
    other = BODY[::-1]
    archive.faults[NAME] = [("drop", 4000), ("become", other)]
    assert fetch() == other


def test_another_file_from_a_server_that_ignores_if_range(archive, fetch, monkeypatch):
    other = BODY[::-1]
    archive.faults[NAME] = [("drop", 4000), ("become", other)]
    get = Web.get
    monkeypatch.setattr(
        Web,
        "get",
        lambda self, url, headers=None: get(
            self, url, {k: v for k, v in (headers or {}).items() if k != "If-Range"}
        ),
    )
    assert fetch() == other


@pytest.mark.parametrize("false", [len(BODY) - 100, len(BODY) + 100])
def test_a_false_length_is_seen_where_the_true_one_is_published(archive, fetch, false):
    archive.always[NAME] = ("announce", false)
    with pytest.raises(DataError, match=f"announces {false:,} bytes, the archive lists"):
        fetch(len(BODY))
    archive.always.clear()
    assert fetch(len(BODY)) == BODY


def test_a_length_that_is_too_long_is_seen_where_none_is_published(archive, fetch):
    archive.always[NAME] = ("announce", len(BODY) + 100)
    with pytest.raises(DataError, match=r"broke the connection|contradicts itself"):
        fetch()


def test_a_length_that_is_too_long_once(archive, fetch):
    archive.faults[NAME] = [("announce", len(BODY) + 100)]
    assert fetch() == BODY


def test_whole_but_not_yet_renamed(archive, fetch):
    archive.faults[NAME] = [("drop", len(BODY) - 1)]
    archive.always[NAME] = ("status", 503)
    with pytest.raises(DataError, match="503"):
        fetch()
    with fetch.part.open("ab") as file:
        file.write(BODY[-1:])
    archive.always.clear()
    archive.requests.clear()
    assert fetch() == BODY
    assert archive.asked(NAME) == [f"bytes={len(BODY)}-"]


def test_a_part_of_unknown_origin_is_not_built_on(archive, fetch):
    fetch.part.write_bytes(b"something else")
    assert fetch() == BODY
    assert archive.asked(NAME) == [""]


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_not_repeated(archive, fetch, status):
    archive.always[NAME] = ("status", status)
    with pytest.raises(RefusedError, match=str(status)):
        fetch()
    assert len(archive.requests) == 1


def test_unwell_and_then_well(archive, fetch):
    archive.faults[NAME] = [("status", 503), ("status", 500)]
    assert fetch() == BODY


@pytest.mark.parametrize("status", [204, 205, 206, 304])
def test_an_answer_without_the_file_is_no_empty_file(archive, fetch, status):
    archive.always[NAME] = ("reply", status, {"Content-Length": "0"}, b"")
    with pytest.raises(RefusedError, match=str(status)):
        fetch()
    assert not (fetch.part.parent / "file.bin").exists()


def test_a_body_whose_end_nothing_tells(archive, fetch):
    archive.always[NAME] = ("reply", 200, {}, BODY[:900])
    with pytest.raises(RefusedError, match="announces no length"):
        fetch()
    # A checksum would tell, and so would the size that the archive lists.
    assert fetch(compared=True) == BODY[:900]
    with pytest.raises(DataError, match="900 bytes came where"):
        fetch(len(BODY))


def test_a_body_in_chunks_tells_its_end(archive, fetch):
    chunked = {"Transfer-Encoding": "chunked"}
    archive.always[NAME] = ("reply", 200, chunked, b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
    assert fetch() == b"abcde"
    archive.always[NAME] = ("reply", 200, chunked, b"3\r\nabc\r\n2\r\nd")
    with pytest.raises(DataError, match="broke the connection"):
        fetch()


def test_no_more_comes_than_may(archive, fetch):
    with pytest.raises(RefusedError, match=r"announces 10,240 bytes, where at most 5,000"):
        fetch(most=5000)
    archive.always[NAME] = ("reply", 200, {}, BODY)
    with pytest.raises(RefusedError, match=r"more than the 5,000 bytes"):
        fetch(most=5000, compared=True)
    assert not fetch.part.exists()


@pytest.mark.parametrize("etag", ["", 'W/"weak"'])
def test_without_a_strong_etag_the_date_says_which_version_it_is(archive, fetch, etag):
    date, other = "Sat, 21 Nov 2026 10:00:00 GMT", BODY[::-1]
    archive.modified[NAME] = date
    archive.always[NAME] = ("etag", etag)
    fetch.part.write_bytes(BODY[:4000])
    notes = {"url": f"{archive.url}/{NAME}", "etag": etag, "modified": date, "total": len(BODY)}
    fetch.part.with_name("file.bin.part.json").write_text(json.dumps(notes))
    assert fetch() == BODY
    assert archive.asked(NAME) == ["bytes=4000-"]
    # Another file of the same length, of another day: nothing of the one is put to the other.
    fetch.part.write_bytes(BODY[:4000])
    fetch.part.with_name("file.bin.part.json").write_text(json.dumps(notes))
    archive.put(NAME, other)
    archive.modified[NAME] = "Sun, 22 Nov 2026 10:00:00 GMT"
    assert fetch() == other


def test_without_anything_that_tells_versions_it_begins_anew(archive, fetch):
    archive.always[NAME] = ("etag", "")
    with pytest.raises(KeyboardInterrupt):
        fetch(listener=Stopping(1))
    archive.put(NAME, BODY[::-1])
    assert fetch() == BODY[::-1]
    assert archive.asked(NAME) == ["", ""]


def test_another_length_is_another_file(archive, fetch):
    """The server says the same ETag of another file, and gives the rest of that."""
    archive.faults[NAME] = [("drop", 4000)]
    archive.always[NAME] = ("status", 503)
    with pytest.raises(DataError):
        fetch()
    notes = fetch.part.with_name("file.bin.part.json")
    notes.write_text(notes.read_text().replace(str(len(BODY)), str(len(BODY) + 7)))
    archive.always.clear()
    archive.requests.clear()
    assert fetch() == BODY
    assert archive.asked(NAME) == ["bytes=4000-", ""]


def test_no_connection(tmp_path):
    web = Web("", PATIENCE)
    downloader = ResumingDownloader(tmp_path / "p", web, None, None, NoProgress())
    with pytest.raises(DataError, match=r"no connection to 127.0.0.1:1.*Check the network"):
        downloader("http://127.0.0.1:1/x", tmp_path / "x", None)


def test_a_full_disk_keeps_what_came(archive, fetch, monkeypatch):
    from featkit.data.download import _resuming

    copy = _resuming._copy

    def full(answer, file, advance, limit):
        file.write(answer.raw.read1(4000, decode_content=False))
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(_resuming, "_copy", full)
    with pytest.raises(StoreError, match=r"disk or quota is full; what came is kept"):
        fetch()
    monkeypatch.setattr(_resuming, "_copy", copy)
    assert fetch() == BODY
    assert archive.asked(NAME) == ["", "bytes=4000-"]


def test_the_md5_of_s3(archive, fetch):
    fetch()
    assert fetch.md5 == hashlib.md5(BODY).hexdigest()
    archive.s3 = False
    fetch()
    assert fetch.md5 == ""


@settings(max_examples=25, deadline=None)
@given(drops=st.lists(st.integers(1, 3000), max_size=6), whole=st.integers(-1, 5))
def test_whatever_breaks_the_file_is_the_file(drops, whole, tmp_path_factory):
    """However a server breaks off, and wherever it forgets ranges, every byte is in its place."""
    body, asked = BODY[:6000], []

    class Answer:
        def __init__(self, headers):
            number = len(asked)
            start = int(headers.get("Range", "bytes=0-")[6:-1])
            start = 0 if number == whole else start
            asked.append(start)
            self.status_code = 206 if start else 200
            self.headers = {"ETag": '"e"', "Content-Length": str(len(body) - start)}
            if start >= len(body):
                self.status_code = 416
                self.headers = {"Content-Range": f"bytes */{len(body)}"}
            elif start:
                self.headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            self.start, self.drop = start, drops[number] if number < len(drops) else None

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        @property
        def raw(self):
            return self

        def read1(self, amount, decode_content):
            if self.drop == 0:
                raise ProtocolError
            some = body[self.start :][: self.drop]
            self.start += len(some)
            self.drop = self.drop and 0
            return some

    class Server:
        patience = Patience(tries=9, first_pause_s=0)

        def pause(self, failures, error):
            pass

        def get(self, url, headers=None):
            return Answer(headers)

    folder = tmp_path_factory.mktemp("any")
    downloader = ResumingDownloader(folder / "p", Server(), None, None, NoProgress())
    downloader("http://x/y", folder / "y", None)
    assert (folder / "y").read_bytes() == body


def test_an_interruption_keeps_what_came(archive, fetch):
    archive.faults[NAME] = [("drop", 4000)]

    class Interrupting(Listener):
        def advance(self, amount, *, note=""):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(listener=Interrupting())
    assert fetch() == BODY
    assert archive.asked(NAME)[-1] == "bytes=4000-"
