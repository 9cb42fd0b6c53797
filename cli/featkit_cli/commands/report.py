"""`featkit report`: everything that the Runs say, in one HTML file."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from featkit_cli import console
from featkit_cli.options import Json, parse_pair
from featkit_cli.progress import shown_progress

__all__ = ["report"]


class FeatureMap(StrEnum):
    """Ways from features to two dimensions."""

    PCA = "pca"
    UMAP = "umap"


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(metavar="DIR", help="Output folders of `featkit fit` and `finetune`."),
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Default: report.html in the first DIR.")
    ] = None,
    features: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE.h5",
            help="Features to map; may be repeated. Default: those of the Runs, if they lie in "
            "or beside DIR.",
        ),
    ] = None,
    thumbnails: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Show the mistakes as small images of this data set, embedded."
        ),
    ] = None,
    feature_map: Annotated[
        FeatureMap, typer.Option("--map", help="umap needs the package umap-learn.")
    ] = FeatureMap.PCA,
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
    pair: Annotated[
        str | None,
        typer.Option(
            metavar="FROZEN,FINETUNED",
            help="The pair that the answer is about. Default: linear,finetune-full.",
        ),
    ] = None,
    target: Annotated[
        float | None,
        typer.Option(
            metavar="SCORE", help="Score to count labels for. Default: the best method's."
        ),
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
    as_json: Json = False,
) -> None:
    """Write a report: the answer, curves, costs, calibration, mistakes and the whole design.

    One HTML file that needs no network, opens by double click and prints on A4.
    """
    from featkit.report import write_page

    path = out or runs[0] / "report.html"
    with console.interruptible(), shown_progress() as shown:
        write_page(
            runs,
            path,
            metric=metric,
            reference=reference,
            pair=None if pair is None else parse_pair(pair),
            target=target,
            focus=focus,
            resamples=resamples,
            seed=seed,
            features=features or (),
            feature_map=feature_map.value,
            thumbnails_of=thumbnails,
            progress=shown,
        )
    size = path.stat().st_size
    if as_json:
        console.print_json({"path": str(path), "bytes": size})
        return
    console.say(f"{path}: {size / 1e6:.2f} MB")
