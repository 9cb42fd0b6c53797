from dataclasses import replace

import numpy as np
import pytest

from featkit.errors import DataError
from featkit.experiment import external_test

ALL = ("nv", "mel", "bcc")


def run(train, test, *, classes=ALL, readable=None):
    readable = np.ones(len(test), dtype=bool) if readable is None else readable
    return external_test(train, test, readable, classes=classes, name="elsewhere")


@pytest.fixture
def other(fakes):
    """Another table, its classes in another order and in capitals."""
    table = fakes.table((4, 5, 3), prefix="x", seed=1)
    return replace(table, classes=("BCC", "NV", "Mel"), name="other")


def test_classes_are_matched_by_name(table, other):
    rows, test = run(table, other)
    assert rows.tolist() == list(range(len(other)))
    names = [ALL[code] for code in test.label]
    assert names == [other.classes[code].lower() for code in other.label]
    np.testing.assert_array_equal(test.image_id, other.image_id)
    np.testing.assert_array_equal(test.group, other.group)
    assert test.label.dtype == np.int16
    assert test.name == "elsewhere"


def test_rows_that_cannot_be_judged_are_left_out(table, other):
    label = other.label.copy()
    label[3] = -1
    readable = np.ones(len(other), dtype=bool)
    readable[4] = False
    rows, test = run(table, replace(other, label=label), readable=readable)
    assert rows.tolist() == [row for row in range(len(other)) if row not in {3, 4}]
    assert len(test.label) == len(rows)


def test_classes_that_take_no_part_are_left_out(table, other):
    rows, test = run(table, other, classes=("nv", "bcc"))
    assert rows.tolist() == np.flatnonzero(other.label != 2).tolist()
    assert {("nv", "bcc")[code] for code in test.label} == {"nv", "bcc"}


def test_a_class_that_training_does_not_know(table, other):
    strange = replace(other, classes=("BCC", "wart", "Mel"))
    with pytest.raises(DataError, match="other has classes that a table has not: wart against nv"):
        run(table, strange)
    # One that no usable row has is no matter.
    unlabelled = np.where(strange.label == 1, -1, strange.label).astype(np.int16)
    assert len(run(table, replace(strange, label=unlabelled))[0])


def test_nothing_to_test_on(table, other):
    with pytest.raises(DataError, match="other cannot be tested on: no readable image"):
        run(table, other, readable=np.zeros(len(other), dtype=bool))


@pytest.mark.parametrize(
    ("column", "words"),
    [("image_hash", "the same content"), ("image_id", "the same image id"), ("group", "lesion")],
)
def test_what_is_shared_is_refused(table, other, column, words):
    values = getattr(other, column).astype("<U40")
    values[[2, 5]] = getattr(table, column)[[0, 1]]
    with pytest.raises(DataError, match=f"images of other also in a table: .*{words}"):
        run(table, replace(other, **{column: values}))


def test_numbers_and_unknown_hashes_say_nothing(table, other):
    numbers = np.array([str(row) for row in range(40)])
    mine = replace(
        table, image_id=numbers[: len(table)], group=numbers[: len(table)],
        image_hash=np.full(len(table), ""),
    )  # fmt: skip
    theirs = replace(
        other, image_id=numbers[: len(other)], group=numbers[: len(other)],
        image_hash=np.full(len(other), ""),
    )  # fmt: skip
    assert len(run(mine, theirs)[0]) == len(other)


def test_images_of_training_that_take_no_part_may_not_be_tested_on(table, other):
    """A photograph of an excluded class was perhaps looked at all the same."""
    hashes = other.image_hash.astype("<U40")
    row = int(np.flatnonzero(table.label == 1)[0])
    hashes[0] = table.image_hash[row]
    with pytest.raises(DataError, match="the same content"):
        run(table, replace(other, image_hash=hashes), classes=("nv", "bcc"))
