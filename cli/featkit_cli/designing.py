"""The options of the design, which `fit` and `finetune` take alike."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit_cli.options import Split, parse_budgets
from featkit_cli.providing import provides

if TYPE_CHECKING:
    from featkit.experiment import Design

__all__ = ["takes_design"]


def _options(
    budgets: Annotated[
        str,
        typer.Option(metavar="LIST", help="Percent of the training lesions, validation included."),
    ] = "1,2,5,10,25,50,100",
    draws: Annotated[int, typer.Option(metavar="N", min=1, help="Draws of each budget.")] = 5,
    draws_large: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Draws of budgets above 25%. Default: --draws."),
    ] = None,
    folds: Annotated[int, typer.Option(metavar="N", min=2, help="Test folds.")] = 5,
    use_folds: Annotated[
        int, typer.Option(metavar="N", min=1, help="How many of them are tested on.")
    ] = 1,
    split: Annotated[
        Split,
        typer.Option(
            help="By lesion; by image (leaks: to measure it); the data set's own; or by lesion, "
            "tested on those of a single image."
        ),
    ] = Split.GROUPED,
    exclude_class: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Leave a class out.")
    ] = None,
    duplicates: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Pairs of images of one lesion under two ids, as `data check --duplicates` "
            "writes them: their lesions become one.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Decides folds, draws and training.")] = 0,
) -> Design:
    """Return the design that the options describe."""
    from featkit.duplicates import read_pairs
    from featkit.experiment import Design

    return Design(
        budgets=parse_budgets(budgets),
        draws=draws,
        draws_large=draws_large,
        folds=folds,
        use_folds=use_folds,
        split=split.value,
        exclude_classes=tuple(exclude_class or ()),
        duplicates=() if duplicates is None else read_pairs(duplicates),
        seed=seed,
    )


takes_design = provides("make_design", _options)
"""Gives a command the design's options; it gets, as `make_design`, what makes the Design."""
