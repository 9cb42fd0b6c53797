import threading

import numpy as np
import pytest

from featkit.features._loader import Loader


def loader(fakes, dataset, **fields):
    options = {"views": 1, "workers": 3, **fields}
    return Loader(dataset, fakes.backbone().preprocessing, **options)


def test_batches_come_in_order_with_every_row_in_its_place(fakes):
    dataset = fakes.dataset(50, broken={4: "0 bytes"})
    wanted = [range(0, 16), range(16, 17), range(30, 50)]
    batches = list(loader(fakes, dataset).batches(wanted))
    assert [batch.rows for batch in batches] == wanted
    preprocessing = fakes.backbone().preprocessing
    for batch in batches:
        for slot, row in enumerate(batch.rows):
            if row == 4:
                assert not batch.pixels[slot].any()
                assert (batch.reason[slot], batch.image_hash[slot]) == ("0 bytes", "")
            else:
                expected = preprocessing(dataset.images.read(row))
                np.testing.assert_array_equal(batch.pixels[slot, 0], expected)
                assert batch.reason[slot] == ""
                assert len(batch.image_hash[slot]) == 32


def test_only_a_few_batches_are_read_ahead(fakes):
    dataset = fakes.dataset(400)
    read, original = [], dataset.images.read
    dataset.images.read = lambda row: (read.append(row), original(row))[1]
    batches = loader(fakes, dataset).batches(range(i, i + 10) for i in range(0, 400, 10))
    next(batches)
    batches.close()
    assert 10 <= len(read) <= 40


def test_threads_end_when_the_generator_is_closed(fakes):
    batches = loader(fakes, fakes.dataset(100)).batches([range(0, 10), range(10, 100)])
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if "featkit" in thread.name]


def test_other_errors_end_the_work(fakes):
    dataset = fakes.dataset(20, broken={11: MemoryError()})
    batches = loader(fakes, dataset).batches([range(0, 10), range(10, 20)])
    assert next(batches).rows == range(0, 10)
    with pytest.raises(MemoryError):
        next(batches)


def test_nothing_wanted(fakes):
    assert list(loader(fakes, fakes.dataset(3)).batches([])) == []
