"""The options of a comparison, which `compare` and `report` take alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from featkit_cli.options import parse_pair
from featkit_cli.providing import provides

__all__ = ["Comparing", "takes_comparison"]


@dataclass(frozen=True)
class Comparing:
    """How Runs are compared, by the names that `compare`, `analyse` and `write_page` know."""

    metric: str = "balanced_accuracy"
    reference: str | None = None
    focus: str | None = None
    pair: tuple[str, str] | None = None
    target: float | None = None
    resamples: int = 2000
    seed: int = 0


def _options(
    metric: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="balanced_accuracy, accuracy, macro_f1, weighted_f1, macro_auroc or ece.",
        ),
    ] = Comparing.metric,
    reference: Annotated[
        str | None,
        typer.Option(metavar="METHOD", help="Row to compare with. Default: the best one."),
    ] = None,
    focus: Annotated[
        str | None,
        typer.Option(
            metavar="CLASS",
            help="Report its sensitivity at 95% specificity. Default: mel or melanoma, where there "
            "is such a class.",
        ),
    ] = None,
    pair: Annotated[
        str | None,
        typer.Option(
            metavar="FROZEN,FINETUNED",
            help="The pair that frozen against fine-tuned is about. Default: linear,finetune-full.",
        ),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE",
            help="Say how many training lesions would bring each row to it. In a report the "
            "default is the best row's.",
        ),
    ] = None,
    resamples: Annotated[
        int, typer.Option(metavar="N", min=100, help="Bootstrap resamples.")
    ] = Comparing.resamples,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the bootstrap.")] = Comparing.seed,
) -> Comparing:
    """Return how the options say that Runs are compared."""
    declared = None if pair is None else parse_pair(pair)
    return Comparing(metric, reference, focus, declared, target, resamples, seed)


takes_comparison = provides("comparing", _options)
"""Gives a command the options of a comparison; it gets, as `comparing`, what reads them."""
