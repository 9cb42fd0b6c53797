"""`featkit data`: what a data set holds, what is wrong with it, published ones and the sample."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit_cli import console
from featkit_cli.commands.download import download
from featkit_cli.duplicates import check_options, find_across, show_across
from featkit_cli.findings import show_classes, show_findings
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress
from featkit_cli.reading import reads_data

if TYPE_CHECKING:
    from featkit.data import Dataset

__all__ = ["data"]

data = typer.Typer(
    help="Get and look at a data set: download, info, check, sample.", no_args_is_help=True
)
data.command()(download)


@data.command()
@reads_data
def info(read: Callable[[], Dataset], as_json: Json = False) -> None:
    """Show images and lesions by class."""
    from featkit.data import class_table

    dataset = read()
    rows = class_table(dataset)
    if as_json:
        console.print_json(
            {
                "name": dataset.name,
                "images": len(dataset),
                "fingerprint": dataset.fingerprint,
                "metadata": list(dataset.metadata),
                "official_split": dataset.split is not None,
                "classes": [row.to_dict() for row in rows],
            }
        )
        return
    lesions = len(set(dataset.group.tolist()))
    show_classes(dataset.name, len(dataset), lesions, rows)
    if dataset.metadata:
        console.say(f"Metadata: {', '.join(dataset.metadata)}")
    if dataset.split is not None:
        console.say("It has an official split: see `featkit fit --split official`.")


@data.command()
@reads_data
def check(
    read: Callable[[], Dataset],
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Decoding threads. Default: all cores.")
    ] = None,
    duplicates: Annotated[
        bool,
        typer.Option(
            "--duplicates",
            help="Also find lesions photographed again under another id: rotated, mirrored, "
            "zoomed, lit otherwise.",
        ),
    ] = False,
    backbone: Annotated[
        str | None,
        typer.Option(
            "--backbone",
            "-b",
            metavar="SPEC",
            help="--duplicates needs one: its features choose the candidates.",
        ),
    ] = None,
    image_size: Annotated[
        int | None,
        typer.Option(metavar="PX", min=8, help="--duplicates: default is the backbone's own."),
    ] = None,
    neighbours: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="--duplicates: candidates of each image."),
    ] = None,
    device: Annotated[
        str | None,
        typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="--duplicates: default is auto."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.csv", help="--duplicates: default is artifacts/duplicates/DATA.csv."
        ),
    ] = None,
    as_json: Json = False,
) -> None:
    """Read every image; report missing, extra, unreadable and duplicate ones.

    With --duplicates, pairs of images that show one lesion under two ids are written to a file
    that `featkit fit` and `featkit finetune` take, so that no split separates them.
    """
    from featkit.data import check_dataset

    given: dict[str, object] = {
        "backbone": backbone,
        "image_size": image_size,
        "neighbours": neighbours,
        "device": device,
        "out": out,
    }
    check_options(given, duplicates)
    dataset = read()
    with shown_progress() as shown:
        across = find_across(dataset, given, workers, shown) if duplicates else None
        found = check_dataset(dataset, workers=workers, progress=shown)
    if as_json:
        more = {"across_lesions": across.to_dict()} if across else {}
        console.print_json({**found.to_dict(), **more})
        return
    show_classes(found.name, found.images, found.lesions, found.classes)
    show_findings(found)
    if across:
        show_across(across)


@data.command()
def sample(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
    images: Annotated[int, typer.Option(metavar="N", min=1, help="Number of images.")] = 2000,
    size: Annotated[int, typer.Option(metavar="PX", min=16, help="Side of the images.")] = 96,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed, other lesions.")] = 0,
) -> None:
    """Write the synthetic sample as JPEG files in HAM10000's layout, to look at or to edit."""
    from featkit.data import synthetic_dataset, write_sample

    dataset = synthetic_dataset(images=images, seed=seed, size=size)
    with shown_progress() as shown:
        write_sample(dataset, folder, progress=shown)
    console.say(f"{folder}: {len(dataset):,} drawn images")
    console.say(f"Next: featkit extract {folder} --backbone featkit:tiny")
