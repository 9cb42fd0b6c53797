"""`featkit fit`: heads on stored features, across label budgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from featkit.naming import counted
from featkit_cli import console
from featkit_cli.designing import takes_design
from featkit_cli.options import Engine, Imbalance, Json, check_heads, head_names
from featkit_cli.progress import shown_progress

if TYPE_CHECKING:
    from featkit.experiment import Design
    from featkit.features import FeatureStore
    from featkit.sweep import ViewChoice

__all__ = ["fit"]

DEFAULT_OUT = Path("artifacts/fit")


@takes_design
def fit(
    make_design: Callable[[], Design],
    features: Annotated[
        list[Path],
        typer.Argument(metavar="FEATURES.h5", help="One for each backbone, of one data set."),
    ],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Runs, the Plan and results.csv.")
    ] = DEFAULT_OUT,
    head: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="linear, lightgbm, mlp, or one that an installed plugin adds; may be given "
            "several times. Default: these three.",
            callback=check_heads,
            autocompletion=head_names,
        ),
    ] = None,
    imbalance: Annotated[
        Imbalance, typer.Option(help="What is done about rare classes.")
    ] = Imbalance.WEIGHTS,
    views: Annotated[
        str,
        typer.Option(
            metavar="plain|all|N",
            help="Stored views of each image to train on (see `extract --views`).",
        ),
    ] = "plain",
    tta: Annotated[
        bool,
        typer.Option(
            "--tta", help="Average test predictions over as many views (all, if --views plain)."
        ),
    ] = False,
    test: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="OTHER.h5",
            help="Train as before, test on another data set (external validation); "
            "one per backbone.",
        ),
    ] = None,
    save_models: Annotated[
        bool,
        typer.Option("--save-models", help="Keep each head as a model under DIR/models."),
    ] = False,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Fits at a time. Default: all cores.")
    ] = None,
    device: Annotated[
        str,
        typer.Option(metavar="NAME", help="auto, cpu, cuda, cuda:N or mps: for linear and mlp."),
    ] = "cpu",
    engine: Annotated[
        Engine,
        typer.Option(help="ray: the cluster of RAY_ADDRESS, or this machine by itself."),
    ] = Engine.LOCAL,
    features_key: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Foreign HDF5: name of the features' data set."),
    ] = None,
    label_key: Annotated[
        str, typer.Option(metavar="NAME", help="Foreign HDF5: name of the labels.")
    ] = "label",
    group_key: Annotated[
        str | None, typer.Option(metavar="NAME", help="Foreign HDF5: name of the groups.")
    ] = None,
    id_key: Annotated[
        str | None, typer.Option(metavar="NAME", help="Foreign HDF5: name of the image ids.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Train heads on features: heads × budgets × draws × folds × files.

    Every fit leaves a Run with its test probabilities. Runs that are there already are kept, so
    the same command continues interrupted work, and further budgets or heads are added.
    """
    from featkit.heads import HEADS
    from featkit.plans import leaks
    from featkit.sweep import fit as fit_heads

    def read(path: Path, place: int) -> FeatureStore:
        from featkit.features import FeatureStore

        if features_key is None:
            return FeatureStore.open(path)
        # Foreign files do not say what made them: the first --test is of the first file's backbone.
        name = features[place].stem if place < len(features) else path.stem
        return FeatureStore.from_hdf5(
            path,
            features=features_key,
            label=label_key,
            image_id=id_key,
            group=group_key,
            backbone=name,
        )

    design = make_design()
    stores = [read(path, place) for place, path in enumerate(features)]
    tests = [read(path, place) for place, path in enumerate(test or [])]
    with console.interruptible(), shown_progress() as shown:
        sweep = fit_heads(
            stores,
            out,
            heads=head or HEADS.own,
            imbalance=imbalance.value,
            views=int(views) if views.isdecimal() else cast("ViewChoice", views),
            tta=tta,
            design=design,
            tests=tests,
            save_models=save_models,
            jobs=jobs,
            device=device,
            engine=engine.value,
            progress=shown,
        )
    if any((store.group == store.image_id).all() for store in stores):
        console.warn("every image is a group of its own: no column says which belong together")
    if leaks(design.split):
        console.warn("random split: photographs of one lesion on both sides; the scores leak")
    if as_json:
        console.print_json({"folder": str(out), "trained": sweep.trained, "reused": sweep.reused})
        return
    console.say(
        f"{out}: {counted(sweep.trained, 'run')} trained, {sweep.reused} were there; "
        f"{out / 'results.csv'}"
    )
    console.say(f"Next: featkit compare {out}")
