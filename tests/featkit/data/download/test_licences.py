import json
from dataclasses import replace

import pytest

from featkit.data.download import download_dataset, find_publication, is_accepted
from featkit.data.download.licences import require_acceptance
from featkit.errors import UsageError


def test_accepted_once_and_remembered(published, archive, tmp_path):
    published.dermamnist()
    with pytest.raises(UsageError, match=r"not accepted: CC BY-NC 4.0.*--accept-licence"):
        download_dataset("dermamnist", tmp_path / "a", mirror=archive.url)
    assert archive.requests == []
    download_dataset("dermamnist", tmp_path / "a", accept_licence=True, mirror=archive.url)
    download_dataset("dermamnist", tmp_path / "b", mirror=archive.url)
    assert (tmp_path / "b" / "dermamnist.npz").exists()


def test_an_acceptance_that_can_not_be_remembered_is_a_note(published, archive, tmp_path):
    published.dermamnist()
    (tmp_path / "configuration").write_text("a file where the folder would be")
    done = download_dataset("dermamnist", tmp_path / "a", accept_licence=True, mirror=archive.url)
    assert done.problems == ()
    assert "will be asked for again" in done.notes[0]
    assert done.to_dict()["notes"] == list(done.notes)


def test_one_licence_says_nothing_of_another(published):
    require_acceptance(find_publication("dermamnist"), True)
    assert not is_accepted(find_publication("ham10000"))


def test_other_words_are_asked_for_anew(published):
    publication = find_publication("ham10000")
    require_acceptance(publication, True)
    other = replace(publication, licence=replace(publication.licence, terms="Pay."))
    assert is_accepted(publication)
    assert not is_accepted(other)


@pytest.mark.parametrize("text", ["", "[]", '{"ham10000": 3}', "\0"])
def test_a_damaged_memory_counts_as_none(published, tmp_path, text):
    memory = tmp_path / "configuration" / "featkit" / "licences.json"
    memory.parent.mkdir(parents=True)
    memory.write_text(text)
    publication = find_publication("ham10000")
    assert not is_accepted(publication)
    require_acceptance(publication, True)
    assert json.loads(memory.read_text())["ham10000"]
    assert is_accepted(publication)
