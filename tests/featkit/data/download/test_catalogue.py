"""What the catalogue says must hang together; whether it is true, its sources say."""

import re

import pytest

from featkit.data.download import PUBLICATIONS, Host
from featkit.data.readers import READERS


@pytest.fixture(params=PUBLICATIONS.values(), ids=lambda each: each.name)
def publication(request):
    return request.param


def test_files_have_places_and_names_of_their_own(publication):
    files = [file for part in publication.parts for file in part.files]
    for field in ("name", "place"):
        values = [getattr(file, field) for file in files]
        assert len(set(values)) == len(values)
    for file in files:
        assert not file.place.startswith("/")
        assert ".." not in file.place
        assert re.fullmatch(r"(md5:[0-9a-f]{32})?", file.checksum)


def test_images_of_a_part_are_those_of_its_files(publication):
    for part in publication.parts:
        assert sum(file.images for file in part.files) == part.images


def test_data_is_of_a_kind_that_there_is(publication):
    for part in publication.parts:
        kind, _, path = part.data.partition(":")
        assert kind in {"", *READERS}
        places = [file.place for file in part.files]
        assert not path or any(place.startswith(path) for place in places)


def test_images_fit_into_what_an_archive_may_hold(publication):
    for file in (file for part in publication.parts for file in part.files):
        if file.packed and file.size:
            assert 1.5 * file.size < file.most_bytes


def test_licences_can_be_read_and_cited(publication):
    assert publication.licence.url.startswith("https://")
    assert publication.licence.citation
    assert (publication.host is Host.WEB) == publication.address.startswith("https://")
