"""`featkit data download` as people type it."""

import hashlib
import io
import json
import signal
import sys
import time

import pytest

from featkit_cli.commands import download as command

LICENCE = "CC BY-NC 4.0"


@pytest.fixture
def download(featkit, archive):
    def run(*arguments):
        return featkit("data", "download", *arguments, "--mirror", archive.url)

    return run


def test_the_list(featkit):
    done = featkit("data", "download", "--list")
    assert done.code == 0
    for name in ("ham10000", "isic2018", "isic2019", "ham10000-duplicates", "dermamnist"):
        assert name in done.out
    assert "2.77 GB" in done.out
    assert LICENCE in done.out
    listed = json.loads(featkit("data", "download", "--list", "--json").out)
    assert [part["name"] for part in listed[1]["parts"]] == ["training", "validation", "test"]
    assert listed[0]["parts"][0]["bytes"] == 690_218 + 1_366_522_108 + 1_403_566_547
    assert listed[0]["licence"]["name"] == LICENCE


def test_from_the_licence_to_the_check(published, download, tmp_path):
    published.ham10000()
    done = download("ham10000", tmp_path / "ham", "--accept-licence")
    assert done.code == 0, done.err
    assert f"Licence: {LICENCE}" in done.err
    assert "ham10000:ham: 6 images of 3 lesions" in done.out
    assert "MD5 published by the archive" in done.out
    assert "To be cited: Tschandl" in done.out
    assert "Next: featkit extract ham10000:" in done.out
    again = download("ham10000", tmp_path / "ham")
    assert again.code == 0
    assert "was there" in again.out
    assert again.err == ""


def test_without_a_terminal_the_licence_needs_the_option(published, download, archive, tmp_path):
    done = download("ham10000", tmp_path / "ham")
    assert done.code == 2
    assert LICENCE in done.err
    assert "--accept-licence" in done.err
    assert archive.requests == []
    assert not (tmp_path / "ham").exists()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 2), ("\n", 2), ("", 2)])
def test_at_a_terminal_it_is_asked_for(published, download, tmp_path, monkeypatch, answer, code):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    published.dermamnist()
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = download("dermamnist", tmp_path / "d")
    assert done.code == code, done.err
    assert "Do you accept it?" in done.err
    assert ("No answer" in done.err) == (answer == "")
    assert ("is not accepted" in done.err) == (code == 2)
    assert (tmp_path / "d" / "dermamnist.npz").exists() == (code == 0)


def test_json(published, download, tmp_path):
    published.isic2018()
    done = download("isic2018", tmp_path / "isic", "--accept-licence", "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["problems"] == []
    assert found["parts"][0]["check"]["images"] == 4
    assert {len(file["sha256"]) for file in found["files"]} == {64}


def test_pairs_and_what_to_do_with_them(published, download, tmp_path):
    published.duplicates()
    done = download("ham10000-duplicates", tmp_path / "pairs", "--accept-licence")
    assert done.code == 0, done.err
    assert "2 pairs of images" in " ".join(done.out.split())
    assert "--duplicates" in done.out


def test_a_failed_check_is_shown_and_fails(published, archive, download, tmp_path):
    published.ham10000()
    path = f"{published.dataverse}/api/access/datafile/10?format=original"
    body = archive.files[path].replace(b"ISIC_0,", b"ISIC_9,")
    archive.put(path, body)
    listing = json.loads(archive.files[published.ham_list])
    facts = listing["data"]["latestVersion"]["files"][0]["dataFile"]
    facts["md5"] = hashlib.md5(body).hexdigest()
    archive.put(published.ham_list, json.dumps(listing).encode())
    done = download("ham10000", tmp_path / "ham", "--accept-licence")
    assert done.code == 1
    assert "missing files: ISIC_9" in done.out
    assert "1 image of the table not there" in done.err
    assert "Next:" not in done.out


def test_a_failure_is_one_line(published, archive, download, tmp_path):
    published.ham10000()
    archive.always[published.ham_part] = ("drop", 0)
    done = download("ham10000", tmp_path / "ham", "--accept-licence")
    assert done.code == 1
    [line] = [each for each in done.err.splitlines() if each.startswith("featkit:")]
    assert "run the same command again" in line
    archive.always.clear()
    assert download("ham10000", tmp_path / "ham").code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "needs the name of a data set and a folder"),
        (("ham10000",), "needs the name of a data set and a folder"),
        (("ham1000", "x"), "'ham1000' is not one that can be downloaded"),
        (("ham10000", "x", "--part", "all the rest"), "has no part"),
        (("ham10000", "x", "--mirror", "somewhere"), "no address of a web server"),
        (("ham10000", __file__), "is a file"),
    ],
)
def test_wrong_usage_is_said_before_any_licence(published, featkit, arguments, message):
    done = featkit("data", "download", *arguments)
    assert done.code == 2
    assert message in done.err
    assert LICENCE not in done.err


def test_sizes():
    assert [command._size(n) for n in (None, 798, 690_218, 19_700_000, 9_100_000_000)] == [
        "?",
        "798 B",
        "690 kB",
        "19.7 MB",
        "9.1 GB",
    ]


def test_ctrl_c_and_the_same_command_again(published, archive, download, start, tmp_path):
    """In a process of its own, which is interrupted while the server is silent."""
    published.duplicates()  # The process knows of no checksum of this file.
    archive.faults[published.pairs] = [("stall", 40)]
    arguments = ("ham10000-duplicates", str(tmp_path / "ham"), "--accept-licence")
    arguments += ("--mirror", archive.url)
    process = start("data", "download", *arguments)
    part = tmp_path / "ham" / ".download" / "newly_discovered_duplicates.csv.part"
    until = time.monotonic() + 20
    while not (part.exists() and part.stat().st_size) and time.monotonic() < until:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130, err
    assert "Continue with the same command" in err
    came = part.stat().st_size
    assert came > 0
    archive.requests.clear()
    assert download(*arguments[:2]).code == 0
    assert archive.asked(published.pairs) == [f"bytes={came}-"]
