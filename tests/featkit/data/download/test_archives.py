"""What archives answer, in the forms that they have had."""

import json

import pytest

from featkit.data.download import Patience, _web, find_publication
from featkit.data.download._archives import find_files
from featkit.data.download._web import Web
from featkit.errors import DataError
from featkit.progress import NoProgress

MD5 = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def find(published, archive):
    """Return where the first part's files are."""

    def run(name):
        publication = find_publication(name)
        web = Web(archive.url, Patience(tries=2, first_pause_s=0))
        return find_files(publication, publication.parts[0].files, web)

    return run


@pytest.mark.parametrize(
    "facts",
    [
        {"key": "dermamnist.npz", "size": 12, "checksum": f"md5:{MD5}"},
        {"filename": "dermamnist.npz", "filesize": 12, "checksum": MD5.upper()},
    ],
)
def test_zenodo_then_and_now(published, archive, find, facts):
    archive.put(published.zenodo_list, json.dumps({"files": [facts]}).encode())
    [found] = find("dermamnist")
    assert (found.size, found.checksum) == (12, f"md5:{MD5}")
    assert found.urls == (f"{archive.url}/{published.zenodo_file}",)


@pytest.mark.parametrize("name", ["HAM10000_metadata.tab", "HAM10000_metadata.csv"])
@pytest.mark.parametrize(
    ("checksum", "expected"),
    [
        ({"md5": MD5}, f"md5:{MD5}"),
        ({"checksum": {"type": "SHA-256", "value": "ab" * 32}}, f"sha256:{'ab' * 32}"),
        ({}, ""),
    ],
)
def test_the_dataverse_and_a_table(published, archive, find, name, checksum, expected):
    table = {"id": 7, "filename": name, "filesize": 90, **checksum}
    table |= {"originalFileFormat": "text/csv", "originalFileSize": 80}
    parts = [{"id": n, "filename": f"HAM10000_images_part_{n}.zip", "filesize": 9} for n in (1, 2)]
    listing = {"latestVersion": {"files": [{"dataFile": each} for each in (table, *parts)]}}
    archive.put(published.ham_list, json.dumps({"data": listing}).encode())
    found, first, _ = find("ham10000")
    assert (found.size, found.checksum) == (80, expected)
    assert found.urls[0].endswith("/api/access/datafile/7?format=original")
    assert first.urls[0].endswith("/api/access/datafile/1")


def test_plain_servers_are_not_asked(archive, find):
    found = find("isic2018")
    assert archive.requests == []
    assert [len(each.urls) for each in found] == [2, 2, 2]


def test_an_archive_that_says_no(published, archive, find):
    archive.always[published.ham_list] = ("status", 403)
    with pytest.raises(DataError, match=r"answers 403.*does not give it.*--mirror"):
        find("ham10000")
    assert len(archive.requests) == 1


def test_waits_are_told_and_the_address_is_the_one_asked(published, archive, monkeypatch):
    told, slept = [], []

    class Listener(NoProgress):
        def start(self, task, *, total, done=0, unit=""):
            told.append((task, total, unit))

    monkeypatch.setattr(_web.time, "sleep", slept.append)
    archive.always[published.ham_list] = ("status", 503)
    web = Web(archive.url, Patience(tries=4, first_pause_s=0.5), progress=Listener())
    with pytest.raises(DataError, match=rf"cannot download {archive.url}/dataverse.harvard.edu/"):
        find_files(find_publication("ham10000"), (), web)
    assert slept == [0.5, 1, 2]
    assert [(total, unit) for _, total, unit in told] == [(1, "s"), (2, "s")]
    assert "answers 503" in told[0][0]


def test_without_a_mirror_addresses_are_the_archives():
    assert Web().address("https://zenodo.org/a?b=c") == "https://zenodo.org/a?b=c"
    mirrored = Web("http://m:8/data/").address("https://zenodo.org/a?b=c")
    assert mirrored == "http://m:8/data/zenodo.org/a?b=c"
