import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.data.places._range_file import RangeFile

CONTENT = np.random.default_rng(0).bytes(1_000_000)


def opened(content=CONTENT):
    asked = []

    def fetch(start, end):
        assert 0 <= start < end <= len(content)
        asked.append((start, end))
        return content[start:end]

    return RangeFile(fetch, len(content)), asked


@given(
    st.lists(
        st.tuples(
            st.integers(-10, 1_000_100), st.sampled_from([0, 1, 512, 70_000]), st.integers(0, 2)
        )
    )
)
def test_reads_what_a_file_in_memory_reads(steps):
    file, plain = io.BufferedReader(opened()[0]), io.BytesIO(CONTENT)
    for offset, length, whence in steps:
        where = {0: max(offset, 0), 1: abs(offset) % 1000, 2: -abs(offset) % 1000 - 1000}[whence]
        assert file.seek(where, whence) == plain.seek(where, whence)
        assert file.read(length) == plain.read(length)


def test_a_header_costs_little_and_a_whole_file_few_requests():
    file, asked = opened()
    assert file.read(512) == CONTENT[:512]
    assert asked == [(0, 65_536)]
    assert io.BufferedReader(file).read() == CONTENT[512:]
    assert len(asked) <= 5


@pytest.mark.parametrize(("member", "most"), [(20_000, 6), (300_000, 5)])
def test_a_walk_over_headers(member, most):
    file, asked = opened()
    headers = range(0, len(CONTENT), member)
    for at in headers:
        file.seek(at)
        file.read(512)
    assert len(asked) <= most
    assert sum(end - start for start, end in asked) <= len(CONTENT)
