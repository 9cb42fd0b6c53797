from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from featkit.comparison import Estimate
from featkit.report import frozen_plot, plot_frozen_against_finetuned, write_comparison


@pytest.fixture
def both(comparison, against):
    """A comparison with a fine-tuned row on one of two backbones, and two declared contrasts."""
    tuned = [
        replace(
            cell,
            method="alpha / finetune-full",
            frozen=False,
            alone_s=9000.0,
            scores={name: Estimate(0.7, 0.6, 0.8) for name in cell.scores},
        )
        for cell in comparison.cells
        if cell.method == "alpha / linear"
    ]
    rows = (*comparison.methods, "alpha / finetune-full")
    by_class = [
        replace(found, method="alpha / finetune-full")
        for found in comparison.by_class
        if found.method == "alpha / linear"
    ]
    unclear = replace(
        against.declared[0], budget=10.0, difference=Estimate(-0.01, -0.04, 0.02), p_holm=0.5
    )
    comparison = replace(
        comparison,
        methods=rows,
        cells=(*comparison.cells, *tuned),
        by_class=(*comparison.by_class, *by_class),
    )
    return comparison, replace(against, declared=(unclear, *against.declared))


def drawn(comparison, against, folder, monkeypatch):
    """Return the panels of the picture."""
    figures = []
    monkeypatch.setattr(frozen_plot, "save_figure", lambda figure, stem: figures.append(figure))
    plot_frozen_against_finetuned(comparison, against, folder / "plot")
    return figures[0].axes


def test_scores_and_prices_are_those_of_the_cells(both, tmp_path, monkeypatch):
    comparison, _ = both
    scores, _, price = drawn(*both, tmp_path, monkeypatch)
    rows = [row for row in comparison.methods if row.startswith("alpha")]
    assert [line.get_label() for line in scores.lines] == [row.split(" / ")[1] for row in rows]
    for row, up, along in zip(rows, scores.lines, price.lines, strict=True):
        cells = [cell for cell in comparison.cells if cell.method == row]
        values = [cell.scores["balanced_accuracy"].value for cell in cells]
        np.testing.assert_array_equal(up.get_xydata().T, [[c.budget for c in cells], values])
        np.testing.assert_array_equal(along.get_xydata().T, [[c.alone_s for c in cells], values])
    bands = len(scores.collections)
    assert bands == 2  # the pair's


def test_differences_stand_with_their_intervals_and_clear_ones_are_filled(
    both, tmp_path, monkeypatch
):
    comparison, against = both
    _, gain, _ = drawn(comparison, against, tmp_path, monkeypatch)
    assert gain.get_title(loc="left") == "finetune-full minus linear"
    points = [line for line in gain.lines if line.get_marker() == "o"]
    bars = [found for found in gain.collections if isinstance(found, LineCollection)]
    for contrast, point, bar in zip(against.declared, points, bars, strict=True):
        np.testing.assert_allclose(
            point.get_xydata(), [[contrast.budget, contrast.difference.value]]
        )
        (segment,) = bar.get_segments()
        ends = [contrast.difference.low, contrast.difference.high]
        np.testing.assert_allclose(segment, [[contrast.budget, end] for end in ends])
        assert (point.get_markerfacecolor() != "white") == bool(contrast.winner)
    (span,) = gain.patches
    crossing = against.crossings[0].budget
    assert (span.get_x(), span.get_width()) == (10.0, 90.0)  # no further than the budgets
    assert crossing.value in {line.get_xdata()[0] for line in gain.lines}


def test_an_interval_need_not_hold_its_point(both, tmp_path):
    """As that of a biased metric, such as the calibration error."""
    comparison, against = both
    odd = replace(against.declared[0], difference=Estimate(0.29, 0.22, 0.28))
    write_comparison(comparison, tmp_path, against=replace(against, declared=(odd,)))
    assert (tmp_path / "class_recall.svg").exists()


def test_the_picture_is_written_only_where_both_sides_are_there(both, tmp_path):
    comparison, against = both
    paths = write_comparison(comparison, tmp_path, against=against)
    stems = [path.name for path in paths if path.stem == "frozen_against_finetuned"]
    assert stems == ["frozen_against_finetuned.png", "frozen_against_finetuned.svg"]
    ElementTree.parse(tmp_path / stems[1])
    none = replace(against, declared=(), crossings=())
    other = write_comparison(comparison, tmp_path / "other", against=none)
    assert {path.suffix for path in other} == {".json", ".csv", ".md", ".png", ".svg"}
    assert not [path for path in other if path.stem in {"contrasts", "frozen_against_finetuned"}]
