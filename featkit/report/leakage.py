"""Tables of a measured leak, as rows for the terminal, Markdown, CSV and Parquet."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from featkit.comparison import Estimate, Leakage
from featkit.evaluate import METRICS
from featkit.files import atomic_path, write_json
from featkit.report.tables import markdown_table
from featkit.tables import TableForm, table_facts, write_frames

__all__ = ["leakage_class_rows", "leakage_note", "leakage_rows", "write_leakage"]

_COLUMNS = ["method", "budget", "metric", "class", "quantity", "value", "low", "high"]

_NAIVE = "random − grouped (confounded)"


def leakage_rows(leakage: Leakage, metric: str = "balanced_accuracy") -> list[Mapping[str, object]]:
    """Return one row for each method and budget: both scores and their differences."""
    return [
        {
            "method": score.method,
            "budget": f"{score.budget:g}%",
            "clean": _number(score.clean),
            "leaky": _number(score.leaky),
            "leaky − clean": _signed(score.difference),
            "… with siblings": _signed(score.with_siblings),
            "… without": _signed(score.without_siblings),
            _NAIVE: _signed(score.naive),
        }
        for score in leakage.scores
        if score.metric == metric
    ]


def leakage_class_rows(
    leakage: Leakage, *, method: str | None = None
) -> list[Mapping[str, object]]:
    """Return the recall of each class at the largest budget, for one method or for all."""
    largest = leakage.training[-1].budget
    return [
        {
            "method": found.method,
            "class": found.class_name,
            "test images": found.support,
            "clean": _number(found.clean),
            "leaky": _number(found.leaky),
            "leaky − clean": _signed(found.difference),
        }
        for found in leakage.by_class
        if found.budget == largest and method in {None, found.method}
    ]


def leakage_note(leakage: Leakage) -> str:
    """Return some sentences on what was compared."""
    largest = leakage.training[-1]
    return (
        f"One random split's {leakage.test_images:,} test images of {leakage.test_lesions:,} "
        f"lesions, {leakage.test_images_with_siblings:,} of them with further images of the lesion "
        f"to train on. At {largest.budget:g}% both training sets have {largest.images:,.0f} "
        f"images, the same number of each class; of the leaky ones {largest.siblings:,.0f} show a "
        "tested lesion, of the clean ones none. Random − grouped is what is often reported "
        "instead; it is confounded: other test images."
    )


def write_leakage(leakage: Leakage, folder: Path, *, form: TableForm = "csv") -> list[Path]:
    """Write `leakage.{json,csv,md}` into the folder, or `.parquet` for `.csv`.

    Returns:
        The paths written.

    Raises:
        StoreError: The folder cannot be written.
    """
    paths = [folder / f"leakage.{kind}" for kind in ("json", form, "md")]
    write_json(paths[0], leakage.to_dict())
    _write_rows(leakage, paths[1], form)
    with atomic_path(paths[2]) as temp:
        temp.write_text(_page(leakage), encoding="utf-8")
    return paths


def _page(leakage: Leakage) -> str:
    parts = ["# What the leak of a random split is worth\n", leakage_note(leakage) + "\n"]
    for name in dict.fromkeys(score.metric for score in leakage.scores):
        parts += [f"## {METRICS[name].title}\n", markdown_table(leakage_rows(leakage, name))]
    parts += [
        f"Intervals: 95%, {leakage.resamples:,} bootstrap resamples of lesions and draws. The "
        "first three differences are of the same test images and draws. The last one is not: the "
        "grouped split tests on other images, so it mixes the leak with their difficulty.\n",
        f"## Recall by class at {leakage.training[-1].budget:g}%\n",
        markdown_table(leakage_class_rows(leakage)),
    ]
    return "\n".join(parts)


def _write_rows(leakage: Leakage, path: Path, form: TableForm) -> None:
    if form == "parquet":
        import pandas as pd

        frame = pd.DataFrame(_rows(leakage), columns=_COLUMNS)
        origin = table_facts("leakage", plans=[leakage.plan])
        write_frames([frame], path, form=form, facts=origin)
        return
    with atomic_path(path) as temp, temp.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(_COLUMNS)
        for *facts, value, low, high in _rows(leakage):
            writer.writerow([*facts, *(f"{number:.5f}" for number in (value, low, high))])


def _rows(leakage: Leakage) -> Iterator[list[Any]]:
    for score in leakage.scores:
        facts = [score.method, score.budget, score.metric, ""]
        for name in ("clean", "leaky", "difference", "with_siblings", "without_siblings", "naive"):
            yield from _row([*facts, name], getattr(score, name))
    for found in leakage.by_class:
        facts = [found.method, found.budget, "recall", found.class_name]
        for name in ("clean", "leaky", "difference"):
            yield from _row([*facts, name], getattr(found, name))


def _row(facts: list[Any], estimate: Estimate | None) -> Iterator[list[Any]]:
    if estimate is not None:
        yield [*facts, estimate.value, estimate.low, estimate.high]


def _number(estimate: Estimate) -> str:
    if math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _signed(estimate: Estimate | None) -> str:
    if estimate is None or math.isnan(estimate.value):
        return "–"
    return f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
