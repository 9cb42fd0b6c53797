"""Learning curves, and recall of each class along the budgets, with 95% bands."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featkit.comparison import Comparison
from featkit.evaluate import METRICS
from featkit.naming import row_parts
from featkit.report._lines import foot, legend, line, looks, short_name
from featkit.report._style import RC, budget_axis, save_figure

__all__ = ["plot_class_recall", "plot_learning_curves"]


def plot_learning_curves(comparison: Comparison, stem: Path) -> list[Path]:
    """Draw score against budget, a panel for each backbone and a line for each method.

    Args:
        comparison: What `compare` found.
        stem: Path without ending; `.png` and `.svg` are written.

    Returns:
        The paths of the files.
    """
    panels: dict[str, list[str]] = {}
    for method in comparison.methods:
        panels.setdefault(row_parts(method)[0], []).append(method)
    drawn = looks(comparison, list(dict.fromkeys(map(short_name, comparison.methods))))
    with mpl.rc_context(RC):
        figure, grid = _panels(len(panels), columns=3, height=4.2)
        for axes, (backbone, methods) in zip(grid, panels.items(), strict=True):
            for method in methods:
                cells = [cell for cell in comparison.cells if cell.method == method]
                estimates = [cell.scores[comparison.metric] for cell in cells]
                budgets = [cell.budget for cell in cells]
                line(axes, budgets, estimates, drawn[short_name(method)], short_name(method))
            axes.set_title(backbone)
            budget_axis(axes, comparison)
        if comparison.metric == "balanced_accuracy":
            for axes in grid:
                chance = 1 / len(comparison.classes)
                axes.axhline(chance, color="#888", linestyle=":", linewidth=1)
                axes.annotate(
                    "chance",
                    (comparison.budgets[-1], chance),
                    color="#666",
                    fontsize=8,
                    ha="right",
                    va="bottom",
                )
        grid[0].set_ylabel(f"{METRICS[comparison.metric].title}, 95% interval")
        legend(figure, grid)
        foot(figure, comparison)
        return save_figure(figure, stem)


def plot_class_recall(comparison: Comparison, stem: Path, *, methods: Sequence[str]) -> list[Path]:
    """Draw the recall of each class against the budget, a panel for each class.

    Args:
        comparison: What `compare` found.
        stem: Path without ending; `.png` and `.svg` are written.
        methods: Lines to draw.

    Returns:
        The paths of the files.
    """
    drawn = looks(comparison, methods)
    with mpl.rc_context(RC):
        figure, grid = _panels(len(comparison.classes), columns=4, height=2.9)
        for axes, name in zip(grid, comparison.classes, strict=True):
            support = 0
            for method in methods:
                found = [
                    result
                    for result in comparison.by_class
                    if result.method == method and result.class_name == name
                ]
                support = found[0].support
                budgets = [result.budget for result in found]
                line(axes, budgets, [result.recall for result in found], drawn[method], method)
            axes.set_title(f"{name} ({support:,} test images)")
            axes.set_ylim(0, 1)
            budget_axis(axes, comparison)
            axes.set_xlabel("")
        grid[0].set_ylabel("recall, 95% interval")
        legend(figure, grid)
        foot(figure, comparison)
        return save_figure(figure, stem)


def _panels(count: int, *, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    size = (max(6.4, 4.3 * columns), height * rows + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = [figure.add_subplot(rows, columns, place + 1) for place in range(count)]
    low_high = grid[0]
    for axes in grid[1:]:
        axes.sharey(low_high)
    return figure, grid
