"""`featkit finetune`: a backbone trained end to end, on the Plan of `featkit fit`."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit.naming import counted
from featkit_cli import console
from featkit_cli.designing import takes_design
from featkit_cli.options import Imbalance, Json, parse_recipe
from featkit_cli.progress import shown_progress
from featkit_cli.reading import reads_data

if TYPE_CHECKING:
    from featkit.data import Dataset
    from featkit.experiment import Design

__all__ = ["finetune"]

DEFAULT_OUT = Path("artifacts/fit")


class Strategy(StrEnum):
    """What is trained."""

    HEAD = "head"
    LAST = "last"
    FULL = "full"
    LP_FT = "lp-ft"


class Augmentation(StrEnum):
    """Levels of augmentation."""

    NONE = "none"
    LIGHT = "light"
    MEDIUM = "medium"
    HEAVY = "heavy"


@reads_data
@takes_design
def finetune(
    read: Callable[[], Dataset],
    make_design: Callable[[], Design],
    backbone: Annotated[
        str,
        typer.Option(
            "--backbone",
            "-b",
            metavar="SPEC",
            help="timm:NAME, torchvision:NAME, hf-hub:OWNER/NAME, local-dir:PATH or featkit:tiny.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(metavar="DIR", help="Runs, the Plan and results.csv; may be that of `fit`."),
    ] = DEFAULT_OUT,
    strategy: Annotated[
        list[Strategy] | None,
        typer.Option(
            help="Train a new last layer on augmented images (head), the last stage too (last), "
            "everything (full), or everything after a linear probe (lp-ft). May be given several "
            "times. Default: full."
        ),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            metavar="DATA",
            help="Train as before, test on another data set (external validation).",
        ),
    ] = None,
    image_size: Annotated[
        int | None, typer.Option(metavar="PX", min=1, help="Side of the input. Default: its own.")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Passes over the images, at most.")
    ] = None,
    lr: Annotated[
        float | None, typer.Option(metavar="X", help="Learning rate. Default: by strategy.")
    ] = None,
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", min=2, help="Images a step.")
    ] = None,
    augmentation: Annotated[
        Augmentation | None,
        typer.Option(
            help="light: flips, rotation; medium: colour too; heavy: crops, blur, sharpening too."
        ),
    ] = None,
    imbalance: Annotated[
        Imbalance | None, typer.Option(help="What is done about rare classes. Default: weights.")
    ] = None,
    recipe: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Any other part of the recipe: optimizer, momentum, weight_decay, layer_decay, "
            "schedule, warmup, min_steps, clip, patience, monitor, ema, label_smoothing, mixup, "
            "batch_norm, precision; augmentation by steps. May be given several times.",
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:N or mps.")
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Decoding threads. Default: all cores.")
    ] = None,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Train from scratch.")
    ] = False,
    save_models: Annotated[
        bool,
        typer.Option(
            "--save-models",
            help="Keep each Run's network, as timm loads it; Runs without are made again.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Fine-tune a backbone: strategies × budgets × draws × folds.

    Every training leaves a Run with its test probabilities, beside those of `featkit fit` on the
    same images: the same Plan, the same budgets. The same command continues interrupted work.
    """
    from featkit.backbones import load_backbone
    from featkit.data import load_dataset
    from featkit.finetuning import finetune as finetune_backbone
    from featkit.plans import leaks

    named = {
        "epochs": epochs,
        "lr": lr,
        "batch_size": batch_size,
        "augmentation": None if augmentation is None else augmentation.value,
        "imbalance": None if imbalance is None else imbalance.value,
    }
    given = {name: value for name, value in named.items() if value is not None}
    design = make_design()
    overrides = {**parse_recipe(recipe or []), **given}
    chosen = [choice.value for choice in strategy or [Strategy.FULL]]
    dataset = read()
    with console.interruptible(), shown_progress() as shown:
        network = load_backbone(
            backbone, image_size=image_size, random_weights=random_weights, seed=design.seed
        )
        tuned = finetune_backbone(
            dataset,
            network,
            out,
            strategies=chosen,
            recipe=overrides,
            design=design,
            test=None if test is None else load_dataset(test),
            device=device,
            workers=workers,
            save_models=save_models,
            progress=shown,
        )
    if (dataset.group == dataset.image_id).all():
        console.warn("every image is a group of its own: no column says which belong together")
    if leaks(design.split):
        console.warn("random split: photographs of one lesion on both sides; the scores leak")
    if tuned.failures:
        name, reason = next(iter(tuned.failures.items()))
        console.warn(
            f"{counted(len(tuned.failures), 'image')} not readable, {name} for one: {reason}"
        )
    if as_json:
        console.print_json({"folder": str(out), "trained": tuned.trained, "reused": tuned.reused})
        return
    console.say(
        f"{out}: {counted(tuned.trained, 'run')} trained, {tuned.reused} were there; "
        f"{out / 'results.csv'}"
    )
    console.say(f"Next: featkit compare {out}")
