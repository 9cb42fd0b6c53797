"""`featkit compare`: scores with intervals, paired differences, learning curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit.naming import counted
from featkit_cli import console
from featkit_cli.comparing import Comparing, takes_comparison
from featkit_cli.leakage import check_options, measure
from featkit_cli.options import Json, TableForm
from featkit_cli.progress import shown_progress

if TYPE_CHECKING:
    from featkit.comparison import Comparison, FrozenAgainstFinetuned, LesionsNeeded

__all__ = ["compare", "show"]


@takes_comparison
def compare(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Output folders of `fit` and `finetune`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Default: DIR/comparison (or DIR/leakage) of the first DIR."
        ),
    ] = None,
    leakage: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FEATURES.h5",
            help="Measure what a random split leaks, instead: repeat the heads' runs of DIR on the "
            "features that they were made from, with and without images of tested lesions. May be "
            "given several times.",
        ),
    ] = None,
    leakage_budgets: Annotated[
        str | None, typer.Option(metavar="LIST", help="--leakage: default: all that the runs have.")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="--leakage: fits at a time. Default: all cores."),
    ] = None,
    form: Annotated[
        TableForm,
        typer.Option("--format", help="Of the table of scores; parquet keeps every digit."),
    ] = TableForm.CSV,
    as_json: Json = False,
    *,
    comparing: Callable[[], Comparing],
) -> None:
    """Compare methods: mean and 95% interval by label budget, paired differences, recall.

    Intervals come from a bootstrap over test lesions and training draws. Writes comparison.json,
    .csv and .md, plots as PNG and SVG, and where both were trained frozen against fine-tuned.
    """
    from featkit.tables import check_form

    how = comparing()
    check_form(form.value)
    if leakage:
        check_options(_without_effect(how), leakage=True)
        measure(
            leakage,
            runs,
            out or runs[0] / "leakage",
            budgets=leakage_budgets,
            jobs=jobs,
            resamples=how.resamples,
            seed=how.seed,
            form=form,
            as_json=as_json,
        )
        return
    check_options({"leakage-budgets": leakage_budgets, "jobs": jobs}, leakage=False)
    from featkit.comparison import (
        Evidence,
        check_target,
        frozen_against_finetuned,
        gather,
        lesions_needed,
    )
    from featkit.comparison import compare as compare_runs
    from featkit.report import write_comparison

    if how.target is not None:
        check_target(how.metric, how.target)
    folder = out or runs[0] / "comparison"
    with shown_progress() as shown:
        grid = gather(runs)
        found = compare_runs(
            grid,
            metric=how.metric,
            reference=how.reference,
            focus=how.focus,
            resamples=how.resamples,
            seed=how.seed,
            progress=shown,
        )
    evidence = Evidence(grid, found)
    with console.working("frozen against fine-tuned"):
        against = frozen_against_finetuned(evidence, pair=how.pair)
        needed = {} if how.target is None else lesions_needed(evidence, how.target)
    paths = write_comparison(found, folder, against=against, form=form.value)
    if as_json:
        answer = found.to_dict()
        if against.declared:
            answer["frozen_against_finetuned"] = asdict(against)
        if needed:
            answer["lesions_needed"] = {row: asdict(each) for row, each in needed.items()}
        console.print_json(answer)
        return
    show(found, paths, against=against, needed=needed)


def _without_effect(how: Comparing) -> dict[str, object]:
    """Return the options that --leakage does not use; None where they are the defaults."""
    plain, used = asdict(Comparing()), {"resamples", "seed"}
    return {
        name: None if value == plain[name] else value
        for name, value in asdict(how).items()
        if name not in used
    }


def show(
    comparison: Comparison,
    paths: Sequence[Path],
    *,
    against: FrozenAgainstFinetuned | None = None,
    needed: Mapping[str, LesionsNeeded] | None = None,
) -> None:
    """Show the comparison's tables and the files that were written."""
    from featkit.evaluate import METRICS
    from featkit.plans import leaks
    from featkit.report import (
        class_rows,
        cost_rows,
        difference_rows,
        main_rows,
        reading_notes,
        target_rows,
    )

    out = console.stdout()
    if leaks(comparison.split):
        out.print("[bold red]Random split: photographs of one lesion on both sides; it leaks.[/]")
    title = METRICS[comparison.metric].title
    caption = (
        f"95% intervals over lesions and draws; {comparison.split} split, {comparison.test}: "
        f"{comparison.test_images:,} images of {comparison.test_lesions:,} lesions."
    )
    for note in reading_notes(comparison):
        console.warn(note)
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
            caption="p after Holm's correction over "
            f"{counted(len(comparison.differences), 'difference')}; those at the other budgets "
            "are in the files.",
            left=["method"],
        )
    console.show_table(
        cost_rows(comparison),
        title=f"Cost of a Run at {comparison.budgets[-1]:g}%",
        caption="Features shared: extracted once for all Runs on them.",
        left=["method", "device"],
    )
    if against:
        _show_contrasts(against)
    if needed:
        score = next(iter(needed.values())).target
        console.show_table(
            target_rows(needed),
            title=f"Training lesions for {title.lower()} {score:g}, by the learning curves",
            left=["method", "training lesions"],
        )
    for path in paths:
        out.print(f"[dim]wrote[/] {console.escape(str(path))}")


def _show_contrasts(against: FrozenAgainstFinetuned) -> None:
    from featkit.report import contrast_rows

    if against.declared:
        console.show_table(
            contrast_rows(against.declared),
            title="Fine-tuned minus frozen, the pair named before any result",
            caption="p after Holm's correction over "
            f"{counted(len(against.declared), 'contrast')}; those of other rows are in the files.",
            left=["fine-tuned", "frozen", "better"],
        )
    for crossing in against.crossings:
        console.say(f"{crossing.backbone}: {crossing.phrase()}")
