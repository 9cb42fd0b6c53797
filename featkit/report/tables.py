"""Tables of a comparison, as rows for the terminal, Markdown, CSV and Parquet."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from featkit.comparison import CellResult, Comparison, Estimate, untested_note
from featkit.evaluate import METRICS
from featkit.files import atomic_path
from featkit.naming import counted
from featkit.plans import leaks
from featkit.tables import TableForm, table_facts, write_frames

__all__ = [
    "Row",
    "class_rows",
    "cost_rows",
    "difference_rows",
    "main_rows",
    "markdown_table",
    "metric_rows",
    "reading_notes",
    "signed_interval",
    "write_markdown",
    "write_scores",
]

Row = Mapping[str, object]


def short(estimate: Estimate) -> str:
    """Return `.612 [.58, .64]`, a dash where the number is not defined."""
    if math.isnan(estimate.value):
        return "–"
    number, low, high = (
        f"{value:.{digits}f}".removeprefix("0")
        for value, digits in ((estimate.value, 3), (estimate.low, 2), (estimate.high, 2))
    )
    return f"{number} [{low}, {high}]"


def main_rows(comparison: Comparison, *, metric: str | None = None) -> list[Row]:
    """Return one row a method, one column a budget, and last the number of training lesions."""
    name = metric or comparison.metric
    rows: list[Row] = []
    for method in comparison.methods:
        row: dict[str, object] = {"method": method}
        for budget in comparison.budgets:
            cell = comparison.cell(method, budget)
            row[f"{budget:g}%"] = "–" if cell is None else _marked(cell, name)
        rows.append(row)
    return [*rows, _lesion_row(comparison)]


def _marked(cell: CellResult, metric: str) -> str:
    return short(cell.scores[metric]) + ("" if cell.complete else f" †{cell.runs}")


def _lesion_row(comparison: Comparison) -> Row:
    cells = sorted(comparison.cells, key=lambda cell: cell.complete)  # complete ones count
    lesions = {cell.budget: cell.train_lesions for cell in cells}
    counts = {f"{budget:g}%": f"{lesions[budget]:,.0f}" for budget in comparison.budgets}
    return {"method": "training lesions", **counts}


def reading_notes(comparison: Comparison) -> list[str]:
    """Return what must be known to read the scores, a sentence each: mostly nothing."""
    notes = []
    cells = [cell for cell in comparison.cells if not cell.complete]
    if cells:
        notes.append(
            f"† {counted(len(cells), 'cell')} with only that many Runs, fewer than others at the "
            "same budget, so of other folds or draws; finish the training, or trust the paired "
            "differences only."
        )
    if comparison.untested:
        notes.append(untested_note(comparison))
    return notes


def metric_rows(comparison: Comparison, *, budget: float | None = None) -> list[Row]:
    """Return all metrics and the cost of every method at one budget (the largest by default)."""
    at = comparison.budgets[-1] if budget is None else budget
    return [
        {
            "method": cell.method,
            **{_label(comparison, name): short(score) for name, score in cell.scores.items()},
            "seconds a run": f"{cell.wall_s:.1f}",
            "seconds for features": f"{cell.features_s:.1f}",
        }
        for cell in comparison.cells
        if cell.budget == at
    ]


def cost_rows(comparison: Comparison, *, budget: float | None = None) -> list[Row]:
    """Return what a Run of every method costs at one budget (the largest by default).

    Device seconds come at two prices: the Run has the features of its training images for itself,
    or all Runs on these features share them.
    """
    at = comparison.budgets[-1] if budget is None else budget
    return [
        {
            "method": cell.method,
            "device s, alone": f"{cell.alone_s:,.1f}",
            "device s, features shared": f"{cell.shared_s:,.1f}",
            "images seen": f"{cell.images_seen:,.0f}",
            "parameters trained": f"{cell.parameters_trained:,}",
            "peak memory, MiB": f"{cell.peak_memory_mb:,.0f}",
            "device": ", ".join(cell.devices),
        }
        for cell in comparison.cells
        if cell.budget == at
    ]


def _label(comparison: Comparison, name: str) -> str:
    if name in METRICS:
        return METRICS[name].title
    return f"Sensitivity for {comparison.focus} at 95% specificity"


def class_rows(comparison: Comparison, method: str) -> list[Row]:
    """Return the recall of each class along the budgets, for one method."""
    rows: list[Row] = []
    for name in comparison.classes:
        found = [
            result
            for result in comparison.by_class
            if result.method == method and result.class_name == name
        ]
        row: dict[str, object] = {"class": name, "test images": found[0].support}
        row.update({f"{result.budget:g}%": short(result.recall) for result in found})
        rows.append(row)
    return rows


def difference_rows(comparison: Comparison, *, budget: float | None = None) -> list[Row]:
    """Return the paired differences from the reference method, at one budget or at all."""
    return [
        {
            "method": difference.method,
            "budget": f"{difference.budget:g}%",
            "difference": f"{difference.difference.value:+.3f}",
            "95% interval": signed_interval(difference.difference),
            "p": f"{difference.p:.4f}",
            "p (Holm)": f"{difference.p_holm:.4f}",
        }
        for difference in comparison.differences
        if budget in {None, difference.budget}
    ]


def signed_interval(estimate: Estimate) -> str:
    """Return the interval of a difference, both ends with their sign."""
    return f"[{estimate.low:+.3f}, {estimate.high:+.3f}]"


def markdown_table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table."""
    head = list(rows[0])
    lines = [
        head,
        ["---"] + ["---:"] * (len(head) - 1),
        *([str(v) for v in r.values()] for r in rows),
    ]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def write_markdown(comparison: Comparison, path: Path, *, more: Sequence[str] = ()) -> None:
    """Write all tables as one Markdown page, `more` parts at its end."""
    best = comparison.best()
    parts = [
        f"# {METRICS[comparison.metric].title} by method and label budget\n",
        _design_line(comparison),
        markdown_table(main_rows(comparison)),
        *(f"{note}\n" for note in reading_notes(comparison)),
        f"## All metrics at {comparison.budgets[-1]:g}%\n",
        markdown_table(metric_rows(comparison)),
        f"## Cost of a Run at {comparison.budgets[-1]:g}%\n",
        markdown_table(cost_rows(comparison)),
        f"## Recall by class: {best.method}\n",
        markdown_table(class_rows(comparison, best.method)),
    ]
    if comparison.differences:
        parts += [
            f"## Paired differences from {comparison.differences[0].reference}\n",
            markdown_table(difference_rows(comparison)),
        ]
    parts += more
    with atomic_path(path) as temporary:
        temporary.write_text("\n".join(parts), encoding="utf-8")


def _design_line(comparison: Comparison) -> str:
    line = (
        f"Split: {comparison.split}. Tested on {comparison.test}: {comparison.test_images:,} "
        f"images of {comparison.test_lesions:,} lesions. Intervals: 95%, "
        f"{comparison.resamples:,} bootstrap resamples of lesions and draws (differences: "
        f"{comparison.resamples_differences:,}). "
        f"Plan {comparison.plan[:12]}.\n"
    )
    if leaks(comparison.split):
        line += (
            "\n**Random split: photographs of one lesion stand on both sides, "
            "so the scores are too high.**\n"
        )
    return line


def write_scores(comparison: Comparison, path: Path, *, form: TableForm = "csv") -> None:
    """Write one row for each method, budget and metric: as CSV to five digits, or as Parquet."""
    if form == "parquet":
        import pandas as pd

        facts = table_facts("comparison", plans=[comparison.plan])
        frame = pd.DataFrame(_score_rows(comparison))
        write_frames([frame], path, form=form, facts=facts)
        return
    rows = [{**row, **_rounded(row)} for row in _score_rows(comparison)]
    with atomic_path(path) as temp, temp.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.DictWriter(handle, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _score_rows(comparison: Comparison) -> Iterator[dict[str, object]]:
    for cell in comparison.cells:
        for name, score in cell.scores.items():
            yield {
                "split": comparison.split,
                "method": cell.method,
                "budget": cell.budget,
                "train_lesions": float(cell.train_lesions),
                "runs": cell.runs,
                "metric": name,
                "value": score.value,
                "low": score.low,
                "high": score.high,
                "wall_s": cell.wall_s,
            }


def _rounded(row: Row) -> dict[str, str]:
    digits = {"value": 5, "low": 5, "high": 5, "wall_s": 3}
    return {name: f"{row[name]:.{count}f}" for name, count in digits.items()}
