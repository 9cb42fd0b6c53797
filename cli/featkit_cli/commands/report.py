"""`featkit report`: everything that the Runs say, in one HTML file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from featkit_cli import console
from featkit_cli.comparing import Comparing, takes_comparison
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

__all__ = ["report"]


class FeatureMap(StrEnum):
    """Ways from features to two dimensions."""

    PCA = "pca"
    UMAP = "umap"


@takes_comparison
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
    as_json: Json = False,
    *,
    comparing: Callable[[], Comparing],
) -> None:
    """Write a report: the answer, curves, costs, calibration, mistakes and the whole design.

    One HTML file that needs no network, opens by double click and prints on A4.
    """
    from featkit.report import write_page

    how, path = comparing(), out or runs[0] / "report.html"
    with console.interruptible(), shown_progress() as shown:
        write_page(
            runs,
            path,
            features=features or (),
            feature_map=feature_map.value,
            thumbnails_of=thumbnails,
            progress=shown,
            **asdict(how),
        )
    size = path.stat().st_size
    if as_json:
        console.print_json({"path": str(path), "bytes": size})
        return
    console.say(f"{path}: {size / 1e6:.2f} MB")
