import pytest

from featkit.comparison._levels import levels_of


def test_ages_are_cut_into_bands_of_twenty_years():
    found = levels_of("age", ["0.0", "19", "20.0", "39.9", "85.0", "", "unknown"])
    assert found == ["0–19", "0–19", "20–39", "20–39", "80–99", "unknown", "unknown"]
    assert levels_of("age_approx", ["5", "25"]) == ["0–19", "20–39"]


def test_numbers_of_many_values_are_cut_at_their_quartiles():
    values = [str(number) for number in range(1, 101)]
    found = levels_of("thickness", values)
    assert found is not None
    counts = [found.count(level) for level in dict.fromkeys(found)]
    assert counts == [25, 25, 25, 25]
    assert found[0] == "1 to 25.75"


def test_few_numbers_are_kinds():
    assert levels_of("grade", ["1", "2", "3", "1"]) == ["1", "2", "3", "1"]


def test_rare_texts_are_joined():
    values = [f"site {index:02}" for index in range(20) for _ in range(40 - index)]
    found = levels_of("localization", values)
    assert found is not None
    assert len(set(found)) == 15
    assert found.count("other (6 levels)") == sum(40 - index for index in range(14, 20))


@pytest.mark.parametrize(
    "values",
    [
        ["same"] * 50,  # one kind
        ["", "unknown", "nan"],  # none known
        ["same", "same", ""],  # one kind, and unknown ones
        [f"name {index}" for index in range(40)],  # names of things
    ],
)
def test_columns_that_group_nothing(values):
    assert levels_of("column", values) is None


def test_text_in_a_column_of_ages_keeps_its_words():
    assert levels_of("age", ["young", "old", "old"]) == ["young", "old", "old"]
