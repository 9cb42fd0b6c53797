from dataclasses import dataclass

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from featkit.features._batch import Batch, ahead


@dataclass(eq=False)
class Begun:
    """A batch that is made at once; `open` counts those that were begun and not waited for."""

    rows: range
    open: list

    def __post_init__(self):
        self.open.append(self.rows)

    def result(self):
        self.open.remove(self.rows)
        return Batch(self.rows, torch.empty(0), [], [])


@given(
    st.lists(st.integers(1, 40), max_size=12),
    st.integers(1, 64),
)
def test_all_come_in_order_and_no_more_are_begun_than_keep_the_threads_busy(sizes, threads):
    wanted, start = [], 0
    for size in sizes:
        wanted.append(range(start, start + size))
        start += size
    begun = []
    found = []
    for batch in ahead(iter(wanted), lambda rows: Begun(rows, begun), threads=threads):
        found.append(batch.rows)
        assert len(begun) <= 1 + max(1, -(-2 * threads // sizes[0]))
    assert found == wanted
    assert not begun


@pytest.mark.parametrize(("threads", "expected"), [(2, 3), (16, 6)])
def test_how_many_are_begun_before_the_first_is_waited_for(threads, expected):
    begun = []
    batches = ahead(
        (range(n, n + 8) for n in range(0, 800, 8)),
        lambda rows: Begun(rows, begun),
        threads=threads,
    )
    next(batches)
    assert len(begun) == expected - 1
