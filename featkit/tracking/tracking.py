"""Track: every Run of some folders on a tracking server, each once."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from featkit.progress import NoProgress, Progress
from featkit.runs import RunStore, filled_store
from featkit.tracking._address import shown
from featkit.tracking._mlflow import opened
from featkit.tracking._record import record_of

__all__ = ["DEFAULT_URI", "Tracked", "track"]

DEFAULT_URI = "sqlite:///artifacts/mlflow.db"
"""Where Runs are logged if neither the call nor MLFLOW_TRACKING_URI says otherwise."""


@dataclass(frozen=True)
class Tracked:
    """What `track` did.

    Attributes:
        uri: Where the Runs are, without a password that stood in it.
        experiment: The experiment's name.
        experiment_id: Its id there.
        logged: Number of Runs logged now.
        there: Number of Runs that were there already.
    """

    uri: str
    experiment: str
    experiment_id: str
    logged: int
    there: int


def track(
    folders: Sequence[Path | str],
    *,
    uri: str | None = None,
    experiment: str = "featkit",
    files: bool = True,
    progress: Progress | None = None,
) -> Tracked:
    """Log all Runs of the folders to MLflow.

    A Run that the experiment holds already, by the digest of what it is a Run of, is not logged
    again; one that an interruption left half logged is completed.

    Args:
        folders: Output folders of `fit` and `finetune`.
        uri: A server or a database; by default that of MLFLOW_TRACKING_URI, else `DEFAULT_URI`.
        experiment: The experiment's name; made where it is missing.
        files: Whether each Run's file, with its probabilities, goes there too; those of Runs that
            are there already do not follow.
        progress: Told of every Run.

    Raises:
        UsageError: MLflow or a database's driver is not installed, or the address or name cannot
            be used.
        StoreError: A folder holds no Runs or a damaged one, or the server does not answer.
    """
    stores = [filled_store(Path(folder)) for folder in folders]
    address = uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI
    listener = progress or NoProgress()
    paths = [path for store in stores for path in store.paths()]
    listener.start("logging", total=len(paths), unit="runs")
    known: dict[str, tuple[str, bool]] = {}
    plans: set[str] = set()
    logged = 0
    with opened(address, experiment) as board:
        for path in paths:
            run = RunStore.read(path)
            if run.key.plan not in plans:
                plans.add(run.key.plan)
                known |= board.known(run.key.plan)
            run_id, whole = known.get(run.key.digest, (None, False))
            if not whole:
                board.log(record_of(run, path), begun=run_id, file=files)
                known[run.key.digest] = ("", True)
                logged += 1
            listener.advance(1, note=run.name)
        listener.finish()
        return Tracked(
            uri=shown(address),
            experiment=experiment,
            experiment_id=board.experiment_id,
            logged=logged,
            there=len(paths) - logged,
        )
