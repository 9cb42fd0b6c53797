"""`featkit predict`: what a model says of images."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit_cli import console
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

if TYPE_CHECKING:
    from featkit.inference import Predictions
    from featkit.models import ModelFacts

__all__ = ["predict"]

_SHOWN = 50
"""Rows of the table, at most."""


def predict(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    images: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE", help="Image files or URLs, or one folder or data set."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a table: .csv, .json or .parquet."),
    ] = None,
    device: Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda`, `cuda:N` or `mps`.")] = "auto",
    precision: Annotated[str, typer.Option(help="`auto`, `fp32`, `bf16` or `fp16`.")] = "auto",
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images in the network at once.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that decode.")] = None,
    explain: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Draw each image's heat map and nearest training cases here."
        ),
    ] = None,
    label: Annotated[
        str | None,
        typer.Option(metavar="CLASS", help="Class of the heat maps. Default: the most probable."),
    ] = None,
    cases: Annotated[int, typer.Option(min=0, max=100, help="Nearest training cases.")] = 5,
    as_json: Json = False,
) -> None:
    """Say what a trained model makes of images, and which are unlike its training data.

    For research; no medical device.
    """
    from featkit.inference import (
        Predictor,
        check_explaining,
        check_table,
        images_at,
        write_explanations,
        write_table,
    )

    if out is not None:
        check_table(out)
    dataset = images_at(images)
    with console.working("loading the model"):
        predictor = Predictor.load(
            model, device=device, precision=precision, batch_size=batch_size, workers=workers
        )
    if explain is not None:
        check_explaining(predictor, label)
    with predictor, console.interruptible(), shown_progress() as shown:
        found = predictor.predictions(dataset, progress=shown)
        if out is not None:
            write_table(found, out)
        if explain is not None:
            write_explanations(
                predictor, dataset, explain, label=label, cases=cases, progress=shown
            )
    if as_json:
        console.print_json({"model": predictor.model.facts.name, "images": list(found.rows())})
    elif out is None:
        _show(found)
    else:
        console.say(f"{out}: {len(found)} images")
    _remark(found, predictor.model.facts)


def _show(found: Predictions) -> None:
    rows: list[dict[str, object]] = []
    for row in found.rows():
        if len(rows) == _SHOWN:
            break
        ranked = sorted(
            zip(found.probabilities[len(rows)].tolist(), found.classes, strict=True), reverse=True
        )
        likely = ", ".join(f"{name} {share:.1%}" for share, name in ranked[:3])
        rows.append(
            {
                "image": row["image_id"],
                "most probable": row["failure"] or likely,
                "decision": row["decision"],
                "above threshold": row["above_threshold"],
                "unlike training data": _unlike(row),
            }
        )
    if rows:
        console.show_table(rows, left=["image", "most probable", "decision", "above threshold"])
    if len(found) > _SHOWN:
        console.say(f"and {len(found) - _SHOWN:,} more: write them with --out FILE.csv")


def _unlike(row: dict[str, object]) -> str:
    if row["unlike"] is None:
        return ""
    return f"{row['unlike']:.0%}{' (!)' if row['flagged'] else ''}"


def _remark(found: Predictions, facts: ModelFacts) -> None:
    failed, flagged = int(found.failed.sum()), int(found.flagged.sum())
    if failed:
        console.warn(f"{failed} of {len(found)} images could not be read")
    if flagged:
        rate = None if facts.unlike is None else facts.unlike.false_alarms.value
        usual = "" if rate is None else f" (of its own test images {rate:.0%} were)"
        console.warn(
            f"{flagged} of {len(found)} images are unlike the training data{usual}: their "
            "probabilities may mean nothing"
        )
    if failed == len(found):
        raise typer.Exit(1)
