"""`featkit compare`: scores with intervals, paired differences, learning curves."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit_cli import console
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

if TYPE_CHECKING:
    from featkit.comparison import Comparison

__all__ = ["compare", "show"]


def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Output folders of `featkit fit`.")
    ],
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="balanced_accuracy, accuracy, macro_f1, weighted_f1, macro_auroc or ece.",
        ),
    ] = "balanced_accuracy",
    reference: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="Row to compare with. Default: the best one."),
    ] = None,
    focus: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS", help="Report its sensitivity at 95% specificity. Default: melanoma."
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(metavar="N", min=100, help="Bootstrap resamples.")
    ] = 2000,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the bootstrap.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: DIR/comparison of the first DIR.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Compare methods: mean and 95% interval by label budget, paired differences, recall.

    Intervals come from a bootstrap over test lesions and training draws. Writes comparison.json,
    .csv and .md, learning_curve and class_recall as PNG and SVG.
    """
    from featkit.comparison import compare as compare_runs
    from featkit.report import write_comparison

    folder = out or runs[0] / "comparison"
    with shown_progress() as shown:
        found = compare_runs(
            runs,
            metric=metric,
            reference=reference,
            focus=focus,
            resamples=resamples,
            seed=seed,
            progress=shown,
        )
    paths = write_comparison(found, folder)
    if as_json:
        console.print_json(found.to_dict())
        return
    show(found, paths)


def show(comparison: Comparison, paths: Sequence[Path]) -> None:
    """Show the comparison's tables and the files that were written."""
    from featkit.evaluate import METRICS
    from featkit.report import class_rows, difference_rows, main_rows, unfinished_note

    out = console.stdout()
    if comparison.split == "random":
        out.print("[bold red]Random split: photographs of one lesion on both sides; it leaks.[/]")
    title = METRICS[comparison.metric].title
    caption = (
        f"95% intervals over lesions and draws; {comparison.split} split, {comparison.test}: "
        f"{comparison.test_images:,} images of {comparison.test_lesions:,} lesions."
    )
    if unfinished_note(comparison):
        console.warn(unfinished_note(comparison))
    best = comparison.best().method
    heading = f"{title} by share of labelled training lesions"
    console.show_table(main_rows(comparison), title=heading, caption=caption, left=["method"])
    console.show_table(
        class_rows(comparison, best), title=f"Recall by class: {best}", left=["class"]
    )
    largest = difference_rows(comparison, budget=comparison.budgets[-1])
    if largest:
        console.show_table(
            largest,
            title=f"{title}: paired difference from {comparison.differences[0].reference}",
            caption=f"p after Holm's correction over {len(comparison.differences)} differences;"
            " those at the other budgets are in the files.",
            left=["method"],
        )
    for path in paths:
        out.print(f"[dim]wrote[/] {console.escape(str(path))}")
