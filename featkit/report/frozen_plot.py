"""Frozen features against fine-tuning in one picture: scores, their difference, and the price."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featkit.comparison import Comparison, Contrast, FrozenAgainstFinetuned
from featkit.evaluate import METRICS
from featkit.naming import row_parts
from featkit.report._lines import foot, legend, line, looks, short_name
from featkit.report._style import RC, budget_axis, save_figure

__all__ = ["plot_frozen_against_finetuned"]

_THIN: Mapping[str, Any] = {"linewidth": 1.0, "alpha": 0.75, "ms": 3.5}


def plot_frozen_against_finetuned(
    comparison: Comparison, against: FrozenAgainstFinetuned, stem: Path
) -> list[Path]:
    """Draw three panels for each backbone that has a declared pair.

    Score against budget, the pair with its bands and the other rows as thin lines; fine-tuned
    minus frozen with its interval, filled where the corrected test tells them apart; and score
    against the device seconds of a Run that pays for its own features.

    Args:
        comparison: What `compare` found.
        against: Its contrasts of frozen features with fine-tuning.
        stem: Path without ending; `.png` and `.svg` are written.

    Returns:
        The paths of the files.
    """
    pairs: dict[str, list[Contrast]] = {}
    for contrast in against.declared:
        pairs.setdefault(contrast.backbone, []).append(contrast)
    rows = [row for row in comparison.methods if row_parts(row)[0] in pairs]
    declared = [row for pair in pairs.values() for row in (pair[0].frozen, pair[0].finetuned)]
    drawn = looks(comparison, list(dict.fromkeys(map(short_name, [*declared, *rows]))))
    with mpl.rc_context(RC):
        figure = Figure(figsize=(13.5, 4.4 * len(pairs) + 0.6), layout="constrained")
        grid = [figure.add_subplot(len(pairs), 3, place + 1) for place in range(3 * len(pairs))]
        for place, (backbone, contrasts) in enumerate(pairs.items()):
            scores, gain, price = grid[3 * place : 3 * place + 3]
            mine = [row for row in rows if row_parts(row)[0] == backbone]
            for row in mine:
                _draw_row(comparison, row, drawn, scores, price, bold=row in declared)
            scores.set_title(backbone)
            budget_axis(scores, comparison)
            scores.set_ylabel(METRICS[comparison.metric].title)
            _draw_gain(comparison, against, contrasts, gain)
            _name_price(comparison, price)
        legend(figure, grid, columns=6)
        foot(figure, comparison)
        return save_figure(figure, stem)


def _draw_row(
    comparison: Comparison,
    row: str,
    drawn: Mapping[str, Mapping[str, Any]],
    scores: Axes,
    price: Axes,
    *,
    bold: bool,
) -> None:
    """Draw a row into the panels of scores and prices."""
    cells = [cell for cell in comparison.cells if cell.method == row]
    estimates = [cell.scores[comparison.metric] for cell in cells]
    budgets = [cell.budget for cell in cells]
    values, look, name = [e.value for e in estimates], drawn[short_name(row)], short_name(row)
    if bold:
        line(scores, budgets, estimates, look, name)
    else:
        scores.plot(budgets, values, label=name, **{**look, **_THIN})
    seconds = [cell.alone_s for cell in cells]
    price.plot(seconds, values, **{**look, **({"ms": 4.5} if bold else _THIN)})


def _draw_gain(
    comparison: Comparison,
    against: FrozenAgainstFinetuned,
    contrasts: list[Contrast],
    axes: Axes,
) -> None:
    """Draw the difference of the declared pair, and where the curves cross."""
    axes.axhline(0, color="#444", linewidth=1)
    for contrast in contrasts:
        found = contrast.difference
        # Of a biased metric the interval need not hold its point, which error bars insist on.
        axes.vlines(contrast.budget, found.low, found.high, color="#333", linewidth=1.5)
        axes.plot(
            contrast.budget,
            found.value,
            "o",
            ms=7,
            color="#333",
            markerfacecolor="#333" if contrast.winner else "white",
        )
    for crossing in against.crossings:
        if crossing.backbone == contrasts[0].backbone and crossing.within:
            low = max(crossing.budget.low, crossing.smallest)
            high = min(crossing.budget.high, crossing.largest)
            axes.axvspan(low, high, color="#56B4E9", alpha=0.15, linewidth=0)
            axes.axvline(crossing.budget.value, color="#0072B2", linestyle=":", linewidth=1.2)
    first = contrasts[0]
    axes.set_title(f"{short_name(first.finetuned)} minus {short_name(first.frozen)}")
    budget_axis(axes, comparison)
    axes.set_xlim(min(comparison.budgets) / 1.3, max(comparison.budgets) * 1.3)
    axes.set_ylabel("difference, 95% interval; filled: p < .05")


def _name_price(comparison: Comparison, axes: Axes) -> None:
    axes.set_title("score against price")
    axes.set_xscale("log")
    many = len({device for cell in comparison.cells for device in cell.devices}) > 1
    axes.set_xlabel(f"seconds of the device{'s (of several kinds)' if many else ''} for a Run")
