"""Learning curves, and recall of each class along the budgets, with 95% bands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featkit.comparison import Comparison, Estimate
from featkit.evaluate import METRICS
from featkit.report._style import COLOURS, MARKERS, RC, budget_axis, save_figure, warn_random

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
        panels.setdefault(method.split(" / ")[0], []).append(method)
    looks = _looks(comparison, list(dict.fromkeys(map(_short, comparison.methods))))
    with mpl.rc_context(RC):
        figure, grid = _panels(len(panels), columns=3, height=4.2)
        for axes, (backbone, methods) in zip(grid, panels.items(), strict=True):
            for method in methods:
                cells = [cell for cell in comparison.cells if cell.method == method]
                estimates = [cell.scores[comparison.metric] for cell in cells]
                budgets = [cell.budget for cell in cells]
                _line(axes, budgets, estimates, looks[_short(method)], _short(method))
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
        _legend(figure, grid)
        _foot(figure, comparison)
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
    looks = _looks(comparison, methods)
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
                _line(axes, budgets, [result.recall for result in found], looks[method], method)
            axes.set_title(f"{name} ({support:,} test images)")
            axes.set_ylim(0, 1)
            budget_axis(axes, comparison)
            axes.set_xlabel("")
        grid[0].set_ylabel("recall, 95% interval")
        _legend(figure, grid)
        _foot(figure, comparison)
        return save_figure(figure, stem)


def _short(method: str) -> str:
    return method.split(" / ", 1)[1]


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


def _looks(comparison: Comparison, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return how each line looks: frozen ones drawn through, fine-tuned ones dashed."""
    tuned = {name for cell in comparison.cells if not cell.frozen for name in _names(cell.method)}
    sides = [[name for name in names if (name in tuned) is side] for side in (False, True)]
    return {
        name: {
            "color": COLOURS[place % len(COLOURS)],
            "marker": MARKERS[place % len(MARKERS)],
            "linestyle": "--" if name in tuned else "-",
        }
        for side in sides
        for place, name in enumerate(side)
    }


def _names(method: str) -> tuple[str, str]:
    return method, _short(method)


def _line(
    axes: Axes,
    budgets: Sequence[float],
    estimates: Sequence[Estimate],
    look: Mapping[str, Any],
    label: str,
) -> None:
    low, high = [e.low for e in estimates], [e.high for e in estimates]
    axes.fill_between(budgets, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.plot(budgets, [e.value for e in estimates], ms=4.5, label=label, **look)


def _legend(figure: Figure, grid: Sequence[Axes]) -> None:
    """Name every line once, whichever panels it stands in."""
    lines: dict[Any, Any] = {}
    for axes in grid:
        handles, labels = axes.get_legend_handles_labels()
        lines.update(zip(labels, handles, strict=True))
    place: Any = "outside upper right"  # beside the axes, which the type stubs do not know
    figure.legend(list(lines.values()), list(lines), loc=place, ncols=min(3, len(lines)))


def _foot(figure: Figure, comparison: Comparison) -> None:
    text = (
        f"{comparison.split} split · {comparison.test}: {comparison.test_images:,} images of "
        f"{comparison.test_lesions:,} lesions · bands: bootstrap over lesions and draws"
    )
    figure.supxlabel(text, fontsize=8, color="#555", x=0.01, ha="left")
    warn_random(figure, comparison)
