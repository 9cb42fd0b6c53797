from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.data import CsvColumns
from featkit.errors import UsageError

FIELDS = ("image", "label", "group", "id", "split", "root")


@given(named=st.sets(st.sampled_from(FIELDS)))
def test_columns_are_all_those_named_or_none_or_not_clear(named):
    stated = dict.fromkeys(FIELDS) | {field: f"my {field}" for field in named}
    if {"image", "label"} <= named:
        assert CsvColumns.stated(**stated) == CsvColumns(**stated)
    elif not named:
        assert CsvColumns.stated(**stated) is None
    else:
        with pytest.raises(UsageError, match="image_column and label_column are needed beside"):
            CsvColumns.stated(**stated)


def test_a_folder_alone_says_nothing_of_columns():
    nothing = dict.fromkeys(FIELDS[:-1])
    with pytest.raises(UsageError, match="--image-column and --label-column on the command line"):
        CsvColumns.stated(**nothing, root=Path("images"))
