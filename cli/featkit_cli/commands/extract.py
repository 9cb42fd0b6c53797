"""`featkit extract`: images through a frozen backbone into a feature file."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit.naming import counted
from featkit_cli import console
from featkit_cli.options import Decoder, Engine, Json, parse_int_or_auto
from featkit_cli.progress import shown_progress
from featkit_cli.reading import reads_data

if TYPE_CHECKING:
    from featkit.data import Dataset

__all__ = ["extract"]


class Precision(StrEnum):
    """Arithmetic of the forward pass."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"


@reads_data
def extract(
    read: Callable[[], Dataset],
    backbone: Annotated[
        str,
        typer.Option(
            "--backbone",
            "-b",
            metavar="SPEC",
            help="timm:NAME, torchvision:NAME, local-dir:PATH, hf-hub:OWNER/NAME, "
            "featkit:tiny, or a bare NAME.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.h5", help="Default: artifacts/features/DATA-BACKBONE.h5."),
    ] = None,
    batch_size: Annotated[
        str,
        typer.Option(
            metavar="auto|N",
            callback=parse_int_or_auto("--batch-size"),
            help="Images at a time; halved when memory runs out.",
        ),
    ] = "auto",
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where the network runs.")
    ] = "auto",
    precision: Annotated[
        Precision,
        typer.Option(
            help="auto takes bf16 where it is faster and leaves the features as they are."
        ),
    ] = Precision.AUTO,
    image_size: Annotated[
        int | None, typer.Option(metavar="PX", min=8, help="Default: the backbone's own.")
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(metavar="avg|cls|cls+avg|logits", help="Default: the backbone's own."),
    ] = None,
    views: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Store N-1 augmented views beside the plain image, which `fit` uses.",
        ),
    ] = 1,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Decoding threads. Default: all cores.")
    ] = None,
    decoder: Annotated[
        Decoder,
        typer.Option(
            help="gpu: JPEG files are decoded and resized by the NVIDIA GPU that computes (extra "
            "gpu); their features differ a little."
        ),
    ] = Decoder.CPU,
    fresh: Annotated[
        bool,
        typer.Option("--fresh", help="Start again; replace the file once the new one is whole."),
    ] = False,
    engine: Annotated[
        Engine,
        typer.Option(help="ray: the cluster of RAY_ADDRESS, or this machine by itself."),
    ] = Engine.LOCAL,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Untrained weights, for dry runs.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Turn images into features, once, in an HDF5 file.

    Interrupted work continues when the same command is given again. Images that cannot be read
    keep their row and are listed with the reason.
    """
    from featkit.backbones import load_backbone
    from featkit.features import describe
    from featkit.features import extract as extract_features

    with console.working("reading the data set …"):
        dataset = read()
    with console.working(f"loading {backbone} (a download takes a while) …"):
        network = load_backbone(
            backbone,
            pooling=pooling,
            image_size=image_size,
            random_weights=random_weights,
            decoder=decoder.value,
        )
    path = out or _default_path(dataset.name, network.spec)
    with console.interruptible(), shown_progress() as shown:
        store = extract_features(
            dataset,
            network,
            path,
            batch_size="auto" if batch_size == "auto" else int(batch_size),
            device=device,
            precision=precision.value,
            views=views,
            workers=workers,
            fresh=fresh,
            engine=engine.value,
            progress=shown,
        )
    if as_json:
        console.print_json(describe(store))
        return
    count, dimension = store.shape[0], store.shape[2]
    console.say(f"{path}: {count:,} images × {dimension:,} features, {store.backbone_name}")
    if store.failures:
        console.warn(
            f"{counted(len(store.failures), 'image')} failed; see `featkit inspect {path}`"
        )
    console.say(f"Next: featkit fit {path}")


def _default_path(dataset: str, spec: str) -> Path:
    parts = (re.sub(r"[^\w.+-]+", "-", text).strip("-.") for text in (dataset, spec))
    return Path("artifacts", "features", "-".join(parts) + ".h5")
