"""Lines of methods in plots: how each is drawn, named and explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from featkit.comparison import Comparison, Estimate
from featkit.naming import row_parts
from featkit.report._style import COLOURS, MARKERS, warn_random

__all__ = ["foot", "legend", "line", "looks", "short_name"]


def short_name(method: str) -> str:
    """Return a row's name without its backbone."""
    return row_parts(method)[1]


def looks(comparison: Comparison, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return how each line looks: frozen ones drawn through, fine-tuned ones dashed.

    Each side takes the colours in its own order, so that the first of either differ.
    """
    tuned = {name for cell in comparison.cells if not cell.frozen for name in _names(cell.method)}
    sides = [[name for name in names if (name in tuned) is side] for side in (False, True)]
    return {
        name: {
            "color": COLOURS[place % len(COLOURS)],
            "marker": MARKERS[place % len(MARKERS)],
            "linestyle": "--" if name in tuned else "-",
        }
        for first, side in enumerate(sides)
        for place, name in enumerate(side, start=first)
    }


def _names(method: str) -> tuple[str, str]:
    return method, short_name(method)


def line(
    axes: Axes,
    budgets: Sequence[float],
    estimates: Sequence[Estimate],
    look: Mapping[str, Any],
    label: str,
) -> None:
    """Draw estimates against budgets as a line in its 95% band."""
    low, high = [e.low for e in estimates], [e.high for e in estimates]
    axes.fill_between(budgets, low, high, color=look["color"], alpha=0.15, linewidth=0)
    axes.plot(budgets, [e.value for e in estimates], ms=4.5, label=label, **look)


def legend(figure: Figure, grid: Sequence[Axes], *, columns: int = 3) -> None:
    """Name every line once, whichever panels it stands in."""
    lines: dict[Any, Any] = {}
    for axes in grid:
        handles, labels = axes.get_legend_handles_labels()
        lines.update(zip(labels, handles, strict=True))
    place: Any = "outside upper right"  # beside the axes, which the type stubs do not know
    figure.legend(list(lines.values()), list(lines), loc=place, ncols=min(columns, len(lines)))


def foot(figure: Figure, comparison: Comparison) -> None:
    """Write below a figure what was tested, and warn of a split that leaks."""
    text = (
        f"{comparison.split} split · {comparison.test}: {comparison.test_images:,} images of "
        f"{comparison.test_lesions:,} lesions · bands: bootstrap over lesions and draws"
    )
    figure.supxlabel(text, fontsize=8, color="#555", x=0.01, ha="left")
    warn_random(figure, comparison)
