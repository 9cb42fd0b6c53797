"""`featkit export`: a Run as a model, a model as a file for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from featkit_cli import console
from featkit_cli.options import Json

__all__ = ["export"]


class Form(StrEnum):
    """What is written."""

    MODEL = "model"
    ONNX = "onnx"
    TORCH = "torch"
    TIMM = "timm"


def export(
    run: Annotated[
        Path, typer.Argument(metavar="RUN|MODEL", help="OUT/runs/NAME.npz, or a model's folder.")
    ],
    out: Annotated[Path, typer.Option(metavar="PATH", help="What to write.")] = Path("model"),
    form: Annotated[
        Form,
        typer.Option(
            "--format",
            help="`model`: featkit's folder. `onnx`: one file from pixels to probabilities. "
            "`torch`: the same as a program of torch.export. `timm`: the network of a "
            "fine-tuned model.",
        ),
    ] = Form.MODEL,
    features: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE.h5", help="Feature files of the Run; else commands.txt says."),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(metavar="DATA", help="Real images to compare a file on."),
    ] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Put the backbone's weights into the folder too.")
    ] = False,
    without_cases: Annotated[
        bool,
        typer.Option("--without-cases", help="Leave the training cases out of the folder."),
    ] = False,
    as_json: Json = False,
) -> None:
    """Make a model of a Run, or a file for other programs of a model.

    A head that was not kept is trained again, and has to predict what the Run says. Files get
    their name when they give the same probabilities as PyTorch on real images.
    """
    from featkit.inference import export_model

    with console.working("exporting"):
        done = export_model(
            run,
            out,
            form=form.value,
            features=features or [],
            images=images,
            network=network,
            cases=not without_cases,
        )
    if as_json:
        console.print_json(done)
        return
    console.say(f"{out}: {done['name']} as {form.value}")
    if "largest_difference" in done:
        console.say(
            f"On {done['images']} images its probabilities differ from PyTorch's by at most "
            f"{done['largest_difference']:.1e}."
        )
    if form is Form.MODEL:
        console.say(f"Next: featkit predict {out} IMAGE... or featkit serve {out}")
