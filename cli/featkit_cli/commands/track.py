"""`featkit track`: Runs on an MLflow server, or in a database of MLflow's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from featkit.naming import counted
from featkit_cli import console
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

__all__ = ["track"]


def track(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Output folders of `fit` and `finetune`.")
    ],
    uri: Annotated[
        str | None,
        typer.Option(
            metavar="URI",
            help="http(s)://HOST:PORT of a server, or a database. Default: MLFLOW_TRACKING_URI, "
            "else sqlite:///artifacts/mlflow.db.",
        ),
    ] = None,
    experiment: Annotated[
        str, typer.Option(metavar="NAME", help="Made where it is missing.")
    ] = "featkit",
    no_files: Annotated[
        bool,
        typer.Option(
            "--no-files",
            help="Leave the Runs' files, with probabilities, here; they do not follow later.",
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Log Runs to MLflow: what they are of, scores, cost and predictions (extra track).

    A Run that was logged before is not logged again, so the same command adds what is new.
    """
    from dataclasses import asdict

    from featkit.tracking import track as track_runs

    with console.interruptible(), shown_progress() as shown:
        done = track_runs(runs, uri=uri, experiment=experiment, files=not no_files, progress=shown)
    if as_json:
        console.print_json(asdict(done))
        return
    console.say(
        f"{done.uri}, experiment {done.experiment}: {counted(done.logged, 'Run')} "
        f"logged, {done.there} were there"
    )
    if done.uri.startswith("sqlite:"):
        console.say(f"Next: mlflow ui --backend-store-uri {done.uri} (pip install mlflow)")
