"""How plots look: one palette, readable in grey and for colour-blind readers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from featkit.comparison import Comparison
from featkit.files import atomic_path
from featkit.plans import leaks

__all__ = ["COLOURS", "MARKERS", "RC", "budget_axis", "save_figure", "warn_random"]

#: Okabe and Ito's palette, darkest first.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")

RC: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e3e3e3",
    "grid.linewidth": 0.7,
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "legend.frameon": False,
    "svg.hashsalt": "featkit",  # the same picture gives the same bytes
    "svg.fonttype": "none",
}


def budget_axis(axes: mpl.axes.Axes, comparison: Comparison) -> None:
    """Show budgets on a logarithmic axis, with the number of lesions below each percentage."""
    lesions = {cell.budget: cell.train_lesions for cell in comparison.cells}
    axes.set_xscale("log")
    axes.set_xticks(comparison.budgets)
    axes.set_xticklabels(
        [f"{budget:g}%\n{lesions[budget]:,.0f}" for budget in comparison.budgets], fontsize=8
    )
    axes.minorticks_off()
    axes.set_xlabel("label budget: share and number of training lesions")


def warn_random(figure: Figure, comparison: Comparison) -> None:
    """Say in red where lesions stand on both sides of the split."""
    if leaks(comparison.split):
        text = "RANDOM SPLIT: photographs of one lesion on both sides, the scores are too high"
        figure.text(0.01, 0.995, text, color="#c1121f", weight="bold", va="top", fontsize=9)


def save_figure(figure: Figure, stem: Path, kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write the figure beside `stem` in each kind, and return the paths."""
    paths = [stem.with_suffix(f".{kind}") for kind in kinds]
    for path, kind in zip(paths, kinds, strict=True):
        metadata = {"Date": None} if kind == "svg" else None
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format=kind, dpi=160, metadata=metadata)
    return paths
