from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.finetuning._augmentation import CHANCES
from featkit.finetuning._samples import Order


def make_order(label, *, oversample=False, batch_size=4, seed=0):
    label = np.asarray(label, dtype=np.int16)
    return Order(
        rows=100 + np.arange(len(label)),
        label=label,
        oversample=oversample,
        batch_size=batch_size,
        seed=seed,
    )


def rows_of(order, epoch):
    return [int(row) for batch in order.epoch(epoch) for row in batch.rows]


@given(
    label=st.lists(st.integers(0, 3), min_size=2, max_size=40),
    batch_size=st.integers(1, 50),
    epoch=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_each_row_at_most_once_an_epoch_with_its_own_label(label, batch_size, epoch):
    order = make_order(label, batch_size=batch_size)
    batches = list(order.epoch(epoch))
    size = min(batch_size, len(label))
    assert [len(batch.rows) for batch in batches] == [size] * (len(label) // size)
    assert order.steps == len(batches)
    rows = rows_of(order, epoch)
    assert len(set(rows)) == len(rows)
    if len(label) % size == 0:
        assert sorted(rows) == sorted(order.rows)
    for batch in batches:
        assert [label[row - 100] for row in batch.rows] == batch.label.tolist()
        assert batch.chances.shape == (size, len(CHANCES))
        assert batch.chances.min() >= 0 and batch.chances.max() < 1
    chances = np.concatenate([batch.chances for batch in batches])
    assert len(np.unique(chances)) == chances.size


@given(label=st.lists(st.sampled_from([0, 1, 4]), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_oversampling_gives_every_class_as_many_and_keeps_every_row(label):
    order = make_order(label, oversample=True, batch_size=1)
    counts = Counter(int(code) for batch in order.epoch(0) for code in batch.label)
    assert set(counts.values()) == {max(Counter(label).values())}
    assert set(counts) == set(label)
    assert set(rows_of(order, 0)) == set(order.rows)


def test_epochs_and_seeds_differ_and_repeat():
    label = [0] * 20 + [1] * 5
    for oversample in (False, True):
        order = make_order(label, oversample=oversample)
        epochs = [tuple(rows_of(order, number)) for number in range(4)]
        assert len(set(epochs)) == 4
        assert epochs[2] == tuple(rows_of(make_order(label, oversample=oversample), 2))
        assert epochs[2] != tuple(rows_of(make_order(label, oversample=oversample, seed=1), 2))
    first = make_order(label)
    chances = [
        b.chances for o in (first, make_order(label, seed=1)) for n in range(3) for b in o.epoch(n)
    ]
    assert len(np.unique(chances)) == np.size(chances)
    again = [batch.chances for n in range(3) for batch in make_order(label).epoch(n)]
    np.testing.assert_array_equal(again, chances[: len(again)])


def test_what_is_dropped_is_not_always_the_same():
    order = make_order([0, 1] * 5, batch_size=8)
    dropped = {tuple(sorted(set(order.rows) - set(rows_of(order, n)))) for n in range(8)}
    assert len(dropped) > 1


def test_shares_of_a_batch_are_the_batch():
    for batch in make_order([0, 1] * 7, batch_size=7).epoch(1):
        shares = [batch.share(rank, 3) for rank in range(3)]
        for name in ("rows", "label", "chances"):
            whole = np.empty_like(getattr(batch, name))
            for rank, share in enumerate(shares):
                whole[rank::3] = getattr(share, name)
            np.testing.assert_array_equal(whole, getattr(batch, name))
