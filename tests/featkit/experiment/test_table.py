import numpy as np
import pytest

from featkit.errors import DataError, UsageError


def test_select_takes_every_column_along(fakes):
    table = fakes.table(official=np.array([f"part{row}" for row in range(40)]))
    rows = np.array([7, 2, 2, 0])
    chosen = table.select(rows)
    assert len(chosen) == 4
    for name in ("image_id", "label", "group", "image_hash", "official"):
        np.testing.assert_array_equal(getattr(chosen, name), getattr(table, name)[rows])
    np.testing.assert_array_equal(chosen.metadata["sex"], table.metadata["sex"][rows])
    assert (chosen.classes, chosen.name) == (table.classes, table.name)
    assert fakes.table().select(rows).official is None


def test_participants_are_readable_labelled_and_of_the_wanted_classes(fakes):
    table = fakes.table()
    label = table.label.copy()
    label[[0, 5]] = -1
    table = fakes.table(label=label)
    readable = np.ones(len(table), dtype=bool)
    readable[[1, 6]] = False
    rows, chosen = table.participants(readable, exclude=("mel",))
    by_hand = [
        row for row in range(len(table)) if readable[row] and label[row] >= 0 and label[row] != 1
    ]
    assert rows.tolist() == by_hand
    assert chosen.classes == ("nv", "bcc")
    names = [chosen.classes[code] for code in chosen.label]
    assert names == [table.classes[code] for code in label[rows]]
    np.testing.assert_array_equal(chosen.image_id, table.image_id[rows])


def test_no_participants(table):
    nothing = np.zeros(len(table), dtype=bool)
    with pytest.raises(DataError, match="a table has no row with a label and a readable image"):
        table.participants(nothing)
    with pytest.raises(DataError, match="no row"):
        table.participants(~nothing, exclude=table.classes)


def test_a_class_that_is_not_there(table):
    with pytest.raises(UsageError, match="--exclude-class wart: the classes are nv, mel, bcc"):
        table.participants(np.ones(len(table), dtype=bool), exclude=("nv", "wart"))
