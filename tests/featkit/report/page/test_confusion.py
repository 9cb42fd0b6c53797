"""The confusion section: means over draws that lie between two counts."""

from __future__ import annotations

import pytest

from featkit.report.page._confusion import _mean


@pytest.mark.parametrize(
    ("number", "text"), [(0.0, "0"), (0.5, "0.5"), (2.0, "2"), (1234.0, "1,234"), (7 / 3, "2.3")]
)
def test_a_mean_of_counts_is_not_rounded_away(number, text):
    assert _mean(number) == text
