import pytest

from featkit.errors import UsageError
from featkit.experiment import Design


def test_cells_by_hand():
    design = Design(budgets=(50, 10), draws=2, draws_large=1, use_folds=2)
    cells = [(cell.budget, cell.fold, cell.draw) for cell in design.cells()]
    assert cells == [(10, 0, 0), (10, 0, 1), (10, 1, 0), (10, 1, 1), (50, 0, 0), (50, 1, 0)]


def test_an_official_split_has_one_fold():
    design = Design(split="official", budgets=(100,), draws=1, use_folds=3)
    assert [cell.fold for cell in design.cells()] == [0]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"budgets": (0,)}, "budget"),
        ({"budgets": (101,)}, "budget"),
        ({"budgets": (-5,)}, "budget"),
        ({"budgets": ()}, "budget"),
        ({"draws": 0}, "--draws 0"),
        ({"draws_large": 0}, "--draws-large 0"),
        ({"use_folds": 6}, "--use-folds 6: there are 5 folds"),
    ],
)
def test_impossible_designs_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        Design(**options)
