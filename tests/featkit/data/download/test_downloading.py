"""Whole data sets from a local server that has the archives' layout, and their bad days."""

import hashlib
import io
import json
import shutil
import zipfile
from dataclasses import replace
from importlib.metadata import version

import pytest

from featkit.data import load_dataset
from featkit.data.download import _archives, _fetching, catalogue, download_dataset
from featkit.duplicates import read_pairs
from featkit.errors import DataError, StoreError, UsageError


@pytest.fixture
def download(archive, tmp_path):
    def run(name, folder="data", **options):
        options = {"mirror": archive.url, **options}
        return download_dataset(name, tmp_path / folder, accept_licence=True, **options)

    return run


def test_ham10000_is_laid_out_as_its_reader_expects(published, archive, download, tmp_path):
    published.ham10000()
    done = download("ham10000")
    assert done.problems == ()
    dataset = load_dataset(tmp_path / "data")
    assert dataset.name == "ham10000:data"
    assert dataset.image_id.tolist() == [f"ISIC_{n}" for n in range(6)]
    assert dataset.group.tolist() == ["HAM_0", "HAM_0", "HAM_1", "HAM_1", "HAM_2", "HAM_2"]
    assert dataset.unlisted == ()
    # The original of the table, which its published checksum is of, and not the converted form.
    table = (tmp_path / "data" / "HAM10000_metadata.csv").read_bytes()
    assert table == archive.files[f"{published.dataverse}/api/access/datafile/10?format=original"]
    assert {file.verified for file in done.files} == {"MD5 published by the archive"}
    first = archive.files[published.ham_part]
    assert done.files[1].sha256 == hashlib.sha256(first).hexdigest()
    assert not list((tmp_path / "data" / ".download").glob("*.zip*"))


def test_isic_and_its_lesions(published, download, tmp_path):
    published.isic2018()
    done = download("isic2018")
    assert done.problems == ()
    dataset = load_dataset(tmp_path / "data" / "training")
    assert dataset.name == "isic:training"
    assert dataset.classes == ("mel", "nv")
    assert dataset.group.tolist() == ["L0", "L0", "L1", "L1"]
    assert all("MD5 in the server's ETag" in file.verified for file in done.files)


def test_dermamnist(published, download, tmp_path):
    published.dermamnist()
    done = download("dermamnist")
    assert done.problems == ()
    assert len(load_dataset(tmp_path / "data" / "dermamnist.npz")) == 12
    assert done.checks[0].data == f"medmnist:{tmp_path / 'data' / 'dermamnist.npz'}"


def test_duplicates_are_pairs_that_a_design_takes(published, download, tmp_path):
    published.ham10000()
    published.duplicates()
    download("ham10000")
    done = download("ham10000-duplicates")
    assert done.problems == ()
    pairs = read_pairs(tmp_path / "data" / "ham10000_duplicates.csv")
    assert pairs == (("ISIC_0", "ISIC_2"), ("ISIC_1", "ISIC_4"))
    assert load_dataset(tmp_path / "data").name == "ham10000:data"


def test_duplicates_of_other_images_do_not_pass(published, download):
    published.ham10000()
    published.duplicates(second="ISIC_77")
    download("ham10000")
    assert "not in HAM10000" in download("ham10000-duplicates").problems[0]


def test_what_is_there_is_not_asked_for_again(published, archive, download):
    published.ham10000()
    before = download("ham10000")
    archive.requests.clear()
    again = download("ham10000")
    assert archive.requests == []
    assert [file.fresh for file in again.files] == [False, False, False]
    assert [file.sha256 for file in again.files] == [file.sha256 for file in before.files]
    assert again.problems == ()


def test_a_deleted_folder_comes_again_alone(published, archive, download, tmp_path):
    published.ham10000()
    download("ham10000")
    for path in (tmp_path / "data" / "HAM10000_images_part_1").iterdir():
        path.unlink()
    (tmp_path / "data" / "HAM10000_images_part_1").rmdir()
    archive.requests.clear()
    assert download("ham10000").problems == ()
    assert [path for path, _ in archive.requests] == [published.ham_list, published.ham_part]


def test_a_changed_folder_is_not_written_over(published, download, tmp_path):
    published.ham10000()
    download("ham10000")
    victim = tmp_path / "data" / "HAM10000_images_part_1" / "ISIC_0.jpg"
    victim.write_bytes(b"mine")
    with pytest.raises(DataError, match=r"part_1 is no longer what was downloaded"):
        download("ham10000")
    assert victim.read_bytes() == b"mine"


def test_a_wrong_checksum_is_tried_again_and_then_refused(published, archive, download, tmp_path):
    published.ham10000()
    body = archive.files[published.ham_part]
    spoiled = body[:50] + bytes([body[50] ^ 1]) + body[51:]
    archive.put(published.ham_part, spoiled)
    with pytest.raises(DataError, match=r"HAM10000_images_part_1.zip is not what its archive"):
        download("ham10000")
    assert len(archive.asked("datafile/11")) == 2
    assert not (tmp_path / "data" / "HAM10000_images_part_1").exists()
    archive.put(published.ham_part, body)
    assert download("ham10000").problems == ()


def test_a_checksum_that_is_wrong_once_is_mended(published, archive, download):
    published.ham10000()
    body = archive.files[published.ham_part]
    archive.faults[published.ham_part] = [("become", b"\0" * len(body)), ("become", body)]
    assert download("ham10000").problems == ()


@pytest.fixture
def know(monkeypatch):
    """Make a checksum known of the first file of a data set."""

    def run(name, checksum):
        known = catalogue.PUBLICATIONS[name]
        first, *others = known.parts[0].files
        part = replace(known.parts[0], files=(replace(first, checksum=checksum), *others))
        patched = {**catalogue.PUBLICATIONS, name: replace(known, parts=(part,))}
        monkeypatch.setattr(catalogue, "PUBLICATIONS", patched)

    return run


@pytest.fixture
def unmirrored(archive, monkeypatch):
    """The archives' own addresses lead to the local server."""
    monkeypatch.setattr(_archives, "_DATAVERSE", f"{archive.url}/dataverse.harvard.edu")
    monkeypatch.setattr(_archives, "_ZENODO", f"{archive.url}/zenodo.org")


def test_another_version_on_the_dataverse_is_told(published, download, know, unmirrored):
    published.ham10000()
    know("ham10000", f"md5:{'0' * 32}")
    done = download("ham10000", mirror="")
    assert [each.renewed for each in done.files] == [True, False, False]
    assert done.problems == ()


def test_another_version_on_zenodo_is_refused(published, archive, download, know, unmirrored):
    published.dermamnist()
    know("dermamnist", f"md5:{'0' * 32}")
    with pytest.raises(DataError, match=r"dermamnist.npz is not the file that is known"):
        download("dermamnist", mirror="")
    assert archive.asked("dermamnist.npz") == []


@pytest.mark.parametrize("name", ["ham10000", "dermamnist"])
def test_a_mirror_with_other_files_and_its_own_list_is_refused(
    published, archive, download, know, name, tmp_path
):
    getattr(published, name)()
    know(name, f"md5:{'0' * 32}")
    with pytest.raises(DataError, match=r"is not the file that is known.*Try without the mirror"):
        download(name)
    assert archive.asked("datafile/1") == archive.asked("dermamnist.npz") == []


def test_a_mirror_whose_list_has_no_checksum_does_not_unbind(published, archive, download, know):
    published.dermamnist()
    know("dermamnist", f"md5:{'0' * 32}")
    listing = json.loads(archive.files[published.zenodo_list])
    del listing["files"][0]["checksum"]
    archive.put(published.zenodo_list, json.dumps(listing).encode())
    with pytest.raises(DataError, match=r"dermamnist.npz is not what its archive publishes"):
        download("dermamnist")


def test_servers_are_told_who_asks(published, archive, download):
    published.ham10000()
    download("ham10000")
    assert archive.agents == {f"featkit/{version('featkit')}"}


@pytest.mark.parametrize("step", ["stage", "put", "place"])
@pytest.mark.parametrize("name", ["ham10000", "ham10000-duplicates", "isic2018"])
def test_interrupted_while_it_is_put_in_its_place(
    published, archive, download, monkeypatch, tmp_path, name, step
):
    """Before, between and after unpacking, writing down and renaming: it goes on from there."""
    {"ham10000": published.ham10000, "isic2018": published.isic2018}.get(
        name, published.duplicates
    )()
    owner, method = {
        "stage": (_fetching.Fetcher, "_stage"),
        "put": (_fetching.Ledger, "put"),
        "place": (_fetching.Fetcher, "_place"),
    }[step]
    whole = getattr(owner, method)
    with monkeypatch.context() as patch:

        def interrupted(*arguments):
            if step == "stage":
                whole(*arguments)
            raise KeyboardInterrupt

        patch.setattr(owner, method, interrupted)
        with pytest.raises(KeyboardInterrupt):
            download(name)
    archive.requests.clear()
    assert download(name).problems == ()
    assert not archive.asked("datafile/10?")
    left = [path.name for path in (tmp_path / "data" / ".download").rglob("*") if path.is_file()]
    assert sorted(each for each in left if not each.startswith(".")) == ["ledger.json"]
    assert all(not file.fresh for file in download(name).files)


def test_what_is_put_in_the_place_meanwhile_is_not_taken_for_it(
    published, download, monkeypatch, tmp_path
):
    published.duplicates()
    with monkeypatch.context() as patch:
        patch.setattr(_fetching.Fetcher, "_place", lambda *_: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            download("ham10000-duplicates")
    (tmp_path / "data" / "ham10000_duplicates.csv").write_text("mine")
    with pytest.raises(DataError, match="no longer what was downloaded"):
        download("ham10000-duplicates")


def test_two_data_sets_do_not_share_a_folder(published, archive, download, tmp_path):
    published.isic2018()
    download("isic2018")
    archive.requests.clear()
    with pytest.raises(UsageError, match=r"data holds isic2018.*a folder of its own"):
        download("isic2019")
    assert archive.requests == []


def test_the_duplicates_may_come_first(published, download):
    published.duplicates()
    published.ham10000()
    download("ham10000-duplicates")
    assert download("ham10000").problems == ()


def test_what_file_managers_leave_is_no_change(published, archive, download, tmp_path):
    published.ham10000()
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / ".DS_Store").write_bytes(b"x")
    download("ham10000")
    for name in (".DS_Store", "Thumbs.db", "._ISIC_0.jpg"):
        (tmp_path / "data" / "HAM10000_images_part_1" / name).write_bytes(b"x")
    archive.requests.clear()
    download("ham10000")
    assert archive.requests == []


def test_a_file_is_no_folder(published, archive, download, tmp_path):
    (tmp_path / "data").write_text("mine")
    with pytest.raises(UsageError, match="data is a file"):
        download("ham10000")
    assert archive.requests == []


def test_where_nothing_is_published_it_is_said(published, archive, download):
    published.isic2018()
    archive.s3 = False
    done = download("isic2018")
    assert all("no checksum is published" in file.verified for file in done.files)


def test_an_etag_that_does_not_fit(published, archive, download, tmp_path):
    published.isic2018()
    archive.always[published.isic_truth] = ("etag", f'"{"0" * 32}"')
    with pytest.raises(DataError, match="MD5 is not the one that the server's ETag tells"):
        download("isic2018")
    assert not (tmp_path / "data" / "training").exists()
    # The mark of a file that was uploaded in pieces is no MD5.
    archive.always[published.isic_truth] = ("etag", f'"{"0" * 32}-7"')
    assert "no checksum is published" in download("isic2018").files[0].verified


def test_a_pinned_checksum_binds_the_next_download(published, archive, download, tmp_path):
    published.isic2018()
    download("isic2018")
    place = tmp_path / "data" / "training" / "ISIC2018_Task3_Training_LesionGroupings.csv"
    place.unlink()
    path = f"{published.isic}/2018/{place.name}"
    body = archive.files[path]
    archive.put(path, body.replace(b"L1", b"L9"))
    with pytest.raises(DataError, match="is not what its archive publishes: SHA256"):
        download("isic2018")
    archive.put(path, body)
    done = download("isic2018")
    assert "earlier download" in next(f for f in done.files if f.name == place.name).verified


def test_what_failed_its_check_binds_nothing(published, archive, download, tmp_path):
    published.isic2018()
    archive.s3 = False
    whole = archive.files[published.isic_input]
    archive.put(published.isic_input, _one_image_less(whole))
    assert "not there" in download("isic2018").problems[0]
    archive.put(published.isic_input, whole)
    shutil.rmtree(tmp_path / "data" / "training" / "ISIC2018_Task3_Training_Input")
    assert download("isic2018").problems == ()


def _one_image_less(body):
    source, sink = zipfile.ZipFile(io.BytesIO(body)), io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        for name in source.namelist()[1:]:
            packed.writestr(name, source.read(name))
    return sink.getvalue()


def test_fewer_images_than_published(published, download, monkeypatch):
    published.ham10000()
    known = catalogue.PUBLICATIONS["ham10000"]
    part = replace(known.parts[0], images=7)
    patched = {"ham10000": replace(known, parts=(part,))}
    monkeypatch.setattr(catalogue, "PUBLICATIONS", patched)
    assert download("ham10000").problems == ("images: 6 images where 7 are published",)


def test_a_second_address_is_tried(published, archive, download):
    published.isic2018()
    for path in [path for path in archive.files if path.startswith(published.isic)]:
        moved = path.replace(published.isic, "isic-archive.s3.amazonaws.com/challenges")
        archive.put(moved, archive.files.pop(path))
    assert download("isic2018").problems == ()


def test_a_file_that_no_address_has(published, archive, download):
    with pytest.raises(DataError, match=r"GroundTruth.zip: 127.0.0.1.* answers 404.*; 127.0.0.1"):
        download("isic2018")


@pytest.mark.parametrize(
    ("listing", "message"),
    [
        (b"<html>", "no JSON"),
        (b"{}", "makes no sense"),
        (b'{"data": {"latestVersion": {"files": []}}}', "lists nothing"),
    ],
)
def test_a_list_that_makes_no_sense(published, archive, download, listing, message):
    archive.put(published.ham_list, listing)
    with pytest.raises(DataError, match=message):
        download("ham10000")


def test_an_archive_that_is_unwell_for_a_moment(published, archive, download):
    published.ham10000()
    for path in (published.ham_list, published.ham_part):
        archive.faults[path] = [("status", 503), ("status", 429)]
    assert download("ham10000").problems == ()


def test_a_folder_of_other_things_is_left_alone(published, archive, download, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "thesis.tex").write_text("mine")
    with pytest.raises(UsageError, match="is not empty"):
        download("ham10000")
    assert archive.requests == []


def test_a_file_in_the_way(published, download, tmp_path):
    published.ham10000()
    published.duplicates()
    download("ham10000")
    (tmp_path / "data" / "ham10000_duplicates.csv").write_text("mine")
    with pytest.raises(DataError, match="is in the way"):
        download("ham10000-duplicates")


def test_a_disk_without_room(published, archive, download, monkeypatch):
    published.ham10000()
    usage = type("Usage", (), {"free": 1_000_000})
    monkeypatch.setattr(_fetching.shutil, "disk_usage", lambda path: usage)
    with pytest.raises(StoreError, match=r"it takes about .* GB and 0.0 GB are free"):
        download("ham10000")
    assert archive.asked("datafile") == []


def test_a_malicious_archive_leaves_nothing(published, archive, download, tmp_path):
    published.isic2018()
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as packed:
        packed.writestr("../../outside.txt", b"x")
    archive.put(published.isic_truth, sink.getvalue())
    with pytest.raises(DataError, match="leads out of the folder"):
        download("isic2018")
    assert not list(tmp_path.rglob("outside.txt"))
    assert not (tmp_path / "data" / "training").exists()


def test_archives_may_be_kept(published, archive, download, tmp_path):
    published.ham10000()
    download("ham10000", keep_archives=True)
    kept = tmp_path / "data" / ".download" / "HAM10000_images_part_1.zip"
    assert kept.read_bytes() == archive.files[published.ham_part]


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("ham", {}, "'ham' is not one that can be downloaded.*ham10000, isic2018"),
        ("isic2019", {"parts": ["validation"]}, "no part 'validation'.*training, test"),
    ],
)
def test_unknown_names(download, published, name, options, message):
    with pytest.raises(UsageError, match=message):
        download(name, **options)


def test_a_mirror_that_is_no_address(published, tmp_path):
    with pytest.raises(UsageError, match="no address of a web server"):
        download_dataset("ham10000", tmp_path / "x", accept_licence=True, mirror="/data")
