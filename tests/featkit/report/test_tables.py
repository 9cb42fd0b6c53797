import csv
from dataclasses import replace

import pytest

from featkit.comparison import Estimate
from featkit.report import (
    class_rows,
    cost_rows,
    difference_rows,
    main_rows,
    markdown_table,
    metric_rows,
    reading_notes,
)
from featkit.report.tables import short, write_markdown, write_scores


@pytest.mark.parametrize(
    ("estimate", "text"),
    [
        (Estimate(0.6124, 0.578, 0.641), ".612 [.58, .64]"),
        (Estimate(1.0, 0.995, 1.0), "1.000 [.99, 1.00]"),
        (Estimate(10.5, 10.05, 11.0), "10.500 [10.05, 11.00]"),
        (Estimate(float("nan"), float("nan"), float("nan")), "–"),
    ],
)
def test_short_numbers(estimate, text):
    assert short(estimate) == text


def test_main_rows_have_a_dash_where_nothing_was_trained(comparison):
    rows = main_rows(comparison)
    assert [row["method"] for row in rows] == [*comparison.methods, "training lesions"]
    assert rows[-1]["100%"] == "200"
    assert rows[0]["10%"] == ".320 [.27, .37]"
    assert rows[2]["10%"] == "–"


def test_metric_rows_are_of_the_largest_budget(comparison):
    rows = metric_rows(comparison)
    assert len(rows) == 3
    assert rows[0]["Balanced accuracy"] == ".500 [.45, .55]"
    assert rows[0]["seconds a run"] == "1.5"


def test_cost_rows_have_both_prices(comparison):
    row = cost_rows(comparison)[0]
    assert (row["device s, alone"], row["device s, features shared"]) == ("31.0", "2.5")
    assert (row["images seen"], row["parameters trained"], row["device"]) == ("300", "9", "cpu")
    assert len(cost_rows(comparison, budget=10.0)) == 2


def test_class_rows(comparison):
    rows = class_rows(comparison, "alpha / mlp")
    assert [row["class"] for row in rows] == ["mel", "nv"]
    assert rows[0]["test images"] == 40
    assert rows[0]["100%"] == ".600 [.50, .70]"


def test_difference_rows(comparison):
    (row,) = difference_rows(comparison)
    assert row["difference"] == "-0.100"
    assert row["95% interval"] == "[-0.150, -0.050]"
    assert row["p (Holm)"] == "0.0200"
    assert difference_rows(comparison, budget=100.0) == [row]
    assert difference_rows(comparison, budget=10.0) == []


def test_markdown_has_every_row_and_warns_of_random_splits(comparison, tmp_path):
    write_markdown(comparison, tmp_path / "a.md")
    write_markdown(replace(comparison, split="random"), tmp_path / "b.md")
    text = (tmp_path / "a.md").read_text()
    assert markdown_table(main_rows(comparison)) in text
    assert "Random split" not in text
    assert "**Random split" in (tmp_path / "b.md").read_text()


def test_scores_csv_has_every_score(comparison, tmp_path):
    write_scores(comparison, tmp_path / "scores.csv")
    with (tmp_path / "scores.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == sum(len(cell.scores) for cell in comparison.cells)
    value = comparison.cells[0].scores[rows[0]["metric"]].value
    assert float(rows[0]["value"]) == pytest.approx(value, abs=1e-5)


def test_cells_of_other_folds_or_draws_are_marked(comparison):
    """An unfinished sweep must not look like a full table."""
    assert reading_notes(comparison) == []
    cells = (replace(comparison.cells[0], complete=False, runs=1), *comparison.cells[1:])
    unfinished = replace(comparison, cells=cells)
    assert main_rows(unfinished)[0]["10%"] == ".320 [.27, .37] †1"
    assert "† 1 cell with only that many Runs" in reading_notes(unfinished)[0]


def test_a_class_that_is_not_tested_is_named(comparison):
    by_class = tuple(
        replace(found, support=0) if found.class_name == "mel" else found
        for found in comparison.by_class
    )
    (note,) = reading_notes(replace(comparison, by_class=by_class))
    assert note == "No test image is of mel, so means over classes are of the others."
