import multiprocessing
import random
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.finetuning import AUGMENTATIONS
from featkit.finetuning._augmentation import Augmentation
from featkit.finetuning._pixels import decoded
from featkit.finetuning._samples import EpochLoader, Order, Sample, Samples
from featkit.progress import NoProgress


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
    return [sample.row for batch in order.epoch(epoch) for sample, _ in batch]


@given(
    label=st.lists(st.integers(0, 3), min_size=2, max_size=40),
    batch_size=st.integers(1, 50),
    epoch=st.integers(0, 5),
)
@settings(max_examples=60, deadline=None)
def test_each_row_at_most_once_an_epoch_with_its_own_label(label, batch_size, epoch):
    order = make_order(label, batch_size=batch_size)
    batches = order.epoch(epoch)
    size = min(batch_size, len(label))
    assert [len(batch) for batch in batches] == [size] * (len(label) // size)
    assert order.steps == len(batches)
    rows = rows_of(order, epoch)
    assert len(set(rows)) == len(rows)
    if len(label) % size == 0:
        assert sorted(rows) == sorted(order.rows)
    assert all(label[sample.row - 100] == code for batch in batches for sample, code in batch)
    assert len({sample.seed for batch in batches for sample, _ in batch}) == len(rows)


@given(label=st.lists(st.sampled_from([0, 1, 4]), min_size=2, max_size=30))
@settings(max_examples=60, deadline=None)
def test_oversampling_gives_every_class_as_many_and_keeps_every_row(label):
    order = make_order(label, oversample=True, batch_size=1)
    counts = Counter(code for batch in order.epoch(0) for _, code in batch)
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
    seeds = [sample.seed for n in range(3) for batch in order.epoch(n) for sample, _ in batch]
    assert len(set(seeds)) == len(seeds)


def test_what_is_dropped_is_not_always_the_same():
    order = make_order([0, 1] * 5, batch_size=8)
    dropped = {tuple(sorted(set(order.rows) - set(rows_of(order, n)))) for n in range(8)}
    assert len(dropped) > 1


@pytest.fixture(scope="module")
def samples(tmp_path_factory, fakes):
    preprocessing = fakes.preprocessing()
    folder = tmp_path_factory.mktemp("pixels") / "p"
    pixels = decoded(
        fakes.dataset(), preprocessing, folder, images=True, workers=1, progress=NoProgress()
    )
    heavy = Augmentation(AUGMENTATIONS["heavy"], preprocessing)
    return Samples(pixels, heavy, Augmentation((), preprocessing))


def test_a_sample_without_a_seed_is_the_plain_image(samples, fakes):
    dataset, preprocessing = fakes.dataset(), fakes.preprocessing()
    for row in (0, 7, 30):
        expected = preprocessing(dataset.images.read(row))
        found = samples[Sample(row)].numpy().transpose(1, 2, 0)
        np.testing.assert_array_equal(found, expected)


def test_a_sample_depends_on_its_seed_alone_and_leaves_no_trace(samples):
    first = samples[Sample(3, seed=11)]
    random.seed(99)
    torch.manual_seed(99)
    python, pytorch = random.getstate(), torch.get_rng_state()
    assert torch.equal(samples[Sample(3, seed=11)], first)
    assert not torch.equal(samples[Sample(3, seed=12)], first)
    assert random.getstate() == python
    assert torch.equal(torch.get_rng_state(), pytorch)


def test_a_gpus_generator_is_not_touched(samples, monkeypatch):
    """torch.manual_seed would seed it too, and dropout draws from it."""
    touched = []
    monkeypatch.setattr(torch.cuda, "manual_seed_all", touched.append)
    _ = samples[Sample(3, seed=11)]
    assert touched == []
    torch.manual_seed(0)
    assert touched == [0]


def make_loader(samples, order, **options):
    def batches(number):
        return [[sample for sample, _ in batch] for batch in order.epoch(number)]

    defaults = {"steps": order.steps, "epochs": 5, "workers": 0, "pinned": False}
    return EpochLoader(samples, batches, **{**defaults, **options})


@pytest.fixture
def order():
    label = np.array([0, 1] * 10, dtype=np.int16)
    return Order(np.arange(20), label, oversample=False, batch_size=6, seed=0)


def test_batches_do_not_depend_on_the_number_of_processes(samples, order):
    """Nor on whether epochs come one after the other or are jumped to."""
    found = []
    for workers in (0, 1, 2):
        loader = make_loader(samples, order, workers=workers)
        before = torch.get_rng_state()
        found.append([torch.stack(list(loader.epoch(number))) for number in (1, 2, 4, 0, 1)])
        # Dropout's numbers are the caller's, whoever loads.
        assert torch.equal(torch.get_rng_state(), before)
    for one in found[1:]:
        assert all(torch.equal(a, b) for a, b in zip(one, found[0], strict=True))
    assert found[0][0].shape == (3, 6, 3, 10, 10)
    for place, number in enumerate((1, 2, 4, 0, 1)):
        for step, batch in enumerate(order.epoch(number)):
            expected = torch.stack([samples[sample] for sample, _ in batch])
            assert torch.equal(found[0][place][step], expected)


def test_an_epoch_that_was_left_is_begun_again(samples, order):
    loader = make_loader(samples, order)
    first = list(loader.epoch(0))
    half = next(iter(loader.epoch(1)))
    again = list(loader.epoch(1))
    assert torch.equal(half, again[0])
    assert len(again) == len(first) == order.steps


def test_the_next_epoch_is_loaded_ahead(samples, order):
    asked = []

    def batches(number):
        asked.append(number)
        return [[Sample(0, 1)]] * 3

    loader = EpochLoader(samples, batches, steps=3, epochs=9, workers=1, pinned=False)
    list(loader.epoch(0))
    assert asked == [0, 1]
    list(loader.epoch(1))
    assert asked == [0, 1, 2]


def test_processes_end_with_the_last_epoch_and_with_their_loader(samples, order):
    loader = make_loader(samples, order, workers=2, epochs=2)
    assert len(list(loader.epoch(0))) == 3
    assert len(multiprocessing.active_children()) == 2
    del loader
    assert multiprocessing.active_children() == []
    loader = make_loader(samples, order, workers=2, epochs=2)
    assert [len(list(loader.epoch(number))) for number in (0, 1)] == [3, 3]
    del loader
    assert multiprocessing.active_children() == []


HANDS_OVER_TO_NOBODY = """
import sys
from featkit.finetuning._samples import _leave_interrupts_to_the_parent
_leave_interrupts_to_the_parent(0)
raise {error}
"""


@pytest.mark.parametrize(
    ("error", "said"),
    [("EOFError()", ""), ("ConnectionResetError(104, 'reset')", ""), ("OSError(24)", "OSError")],
)
def test_a_loading_process_is_silent_of_a_parent_that_left_and_of_nothing_else(error, said):
    script = HANDS_OVER_TO_NOBODY.format(error=error)
    command = [sys.executable, "-c", script]
    ended = subprocess.run(command, check=False, capture_output=True, text=True)
    assert said in ended.stderr if said else not ended.stderr
