"""The files that `compare` leaves: JSON, CSV, Markdown, PNG and SVG."""

from __future__ import annotations

from pathlib import Path

from featkit.comparison import Comparison
from featkit.files import write_json
from featkit.report.plots import plot_class_recall, plot_learning_curves
from featkit.report.tables import write_markdown, write_scores

__all__ = ["write_comparison"]


def write_comparison(comparison: Comparison, folder: Path) -> list[Path]:
    """Write `comparison.{json,csv,md}`, `learning_curve.*` and `class_recall.*` into the folder.

    Recall is drawn for the best method of each kind at the largest budget.

    Returns:
        The paths written.

    Raises:
        StoreError: The folder cannot be written.
    """
    data = [folder / f"comparison.{kind}" for kind in ("json", "csv", "md")]
    write_json(data[0], comparison.to_dict())
    write_scores(comparison, data[1])
    write_markdown(comparison, data[2])
    best = _best_of_each_kind(comparison)
    return [
        *data,
        *plot_learning_curves(comparison, folder / "learning_curve"),
        *plot_class_recall(comparison, folder / "class_recall", methods=best),
    ]


def _best_of_each_kind(comparison: Comparison) -> list[str]:
    first: dict[str, str] = {}
    for cell in comparison.ranked():
        first.setdefault(cell.method.split(" / ", 1)[1], cell.method)
    return [method for method in comparison.methods if method in first.values()]
