"""The files that `compare` leaves: JSON, CSV, Markdown, PNG and SVG."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from featkit.comparison import Comparison, FrozenAgainstFinetuned
from featkit.files import write_json
from featkit.naming import row_parts
from featkit.report.contrast_tables import contrast_markdown
from featkit.report.frozen_plot import plot_frozen_against_finetuned
from featkit.report.plots import plot_class_recall, plot_learning_curves
from featkit.report.tables import write_markdown, write_scores
from featkit.tables import TableForm

__all__ = ["best_of_each_kind", "write_comparison"]


def write_comparison(
    comparison: Comparison,
    folder: Path,
    *,
    against: FrozenAgainstFinetuned | None = None,
    form: TableForm = "csv",
) -> list[Path]:
    """Write `comparison.{json,csv,md}`, `learning_curve.*` and `class_recall.*` into the folder.

    Recall is drawn for the best method of each kind at the largest budget.

    Args:
        comparison: What `compare` found.
        folder: Made where it is missing.
        against: Frozen features against fine-tuning. Where both sides are there, it is added to the
            Markdown page, its numbers lie in `contrasts.json`, and it is drawn.
        form: Of the table of scores: `csv`, to five digits, or `parquet`, not rounded.

    Returns:
        The paths written.

    Raises:
        StoreError: The folder cannot be written.
    """
    data = [folder / f"comparison.{kind}" for kind in ("json", form, "md")]
    write_json(data[0], comparison.to_dict())
    write_scores(comparison, data[1], form=form)
    if against and not against.declared:
        against = None
    write_markdown(comparison, data[2], more=[contrast_markdown(against)] if against else [])
    if against:
        data.append(folder / "contrasts.json")
        write_json(data[-1], asdict(against))
        stem = folder / "frozen_against_finetuned"
        data += plot_frozen_against_finetuned(comparison, against, stem)
    best = best_of_each_kind(comparison)
    return [
        *data,
        *plot_learning_curves(comparison, folder / "learning_curve"),
        *plot_class_recall(comparison, folder / "class_recall", methods=best),
    ]


def best_of_each_kind(comparison: Comparison) -> list[str]:
    """Return the best method at the largest budget of each kind, whatever its backbone."""
    first: dict[str, str] = {}
    for cell in comparison.ranked():
        first.setdefault(row_parts(cell.method)[1], cell.method)
    return [method for method in comparison.methods if method in first.values()]
