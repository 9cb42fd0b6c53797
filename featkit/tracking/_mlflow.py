"""The MLflow client, told what to do and never through its global state."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from featkit.errors import StoreError, UsageError
from featkit.tracking._address import WEB, shown, unspoken
from featkit.tracking._record import DIGEST, PLAN, Record

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

__all__ = ["Board", "opened"]

_PATIENCE_S = 10.0
"""Seconds to wait for a server's first answer; the client itself would try for minutes."""

_DATABASES = ("sqlite", "postgresql", "mysql", "mssql")

_DRIVERS = {
    "psycopg": "psycopg[binary]",
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}
"""Distributions of drivers whose modules have another name."""

_FOLDERS_ALLOWED = "MLFLOW_ALLOW_FILE_STORE"

_NO_REPORTS = "MLFLOW_DISABLE_TELEMETRY"

_PAGE = 1000

_BATCH = 90
"""Parameters a request: servers take a hundred."""

_INSTALL = "Install it: pip install 'featkit[track]'"


class Board:
    """An experiment that Runs are logged to.

    Args:
        client: Bound to a store.
        experiment_id: The experiment.
    """

    def __init__(self, client: MlflowClient, experiment_id: str) -> None:
        self._client = client
        self.experiment_id = experiment_id

    def known(self, plan: str) -> dict[str, tuple[str, bool]]:
        """Return the Runs of a Plan by digest: their id, and whether they are logged wholly."""
        found: dict[str, tuple[str, bool]] = {}
        token: str | None = None
        for page in count():
            if page and not token:
                break
            runs = self._client.search_runs(
                [self.experiment_id],
                filter_string=f"tags.`{PLAN}` = '{plan}'",
                max_results=_PAGE,
                page_token=token,
            )
            for run in runs:
                digest, whole = run.data.tags.get(DIGEST, ""), run.info.status == "FINISHED"
                if whole or digest not in found:
                    found[digest] = (run.info.run_id, whole)
            token = runs.token
        return found

    def log(self, record: Record, *, begun: str | None, file: bool) -> None:
        """Log a Run; it counts as logged when all of it is there.

        Args:
            record: What is logged.
            begun: The id under which an interrupted attempt left a part of it.
            file: Whether the Run's file is uploaded.
        """
        from mlflow.entities import Metric, Param

        run_id = begun or self._create(record)
        params = [Param(name, value) for name, value in record.params.items()]
        metrics = [
            Metric(name, value, record.ended_ms, 0) for name, value in record.metrics.items()
        ]
        for start in range(0, max(len(params), len(metrics)), _BATCH):
            part = slice(start, start + _BATCH)
            self._client.log_batch(run_id, metrics=metrics[part], params=params[part])
        if file:
            self._client.log_artifact(run_id, str(record.file))
        self._client.set_terminated(run_id, "FINISHED", record.ended_ms)

    def _create(self, record: Record) -> str:
        run = self._client.create_run(
            self.experiment_id,
            start_time=record.begun_ms,
            tags=dict(record.tags),
            run_name=record.name,
        )
        return str(run.info.run_id)


@contextmanager
def opened(uri: str, experiment: str) -> Iterator[Board]:
    """Hold an experiment, made where it is missing, with MLflow's own messages silenced.

    Raises:
        UsageError: MLflow or a database's driver is not installed, the address means nothing, or a
            deleted experiment has the name.
        StoreError: The server or database does not answer, or refuses.
    """
    _check(uri)
    with _muted():
        try:
            yield _board(uri, experiment)
        except _refusals() as error:
            said = unspoken(str(error), uri).strip().splitlines() or [type(error).__name__]
            raise StoreError(
                f"cannot log to {shown(uri)}",
                cause=said[0].rstrip("."),
                remedy="Check the address and what answers there; what was logged stays, and the "
                "same command logs the rest",
            ) from error


def _board(uri: str, experiment: str) -> Board:
    from mlflow.tracking import MlflowClient

    try:
        _prepare(uri)
        client = MlflowClient(tracking_uri=uri)
        return Board(client, _experiment(client, uri, experiment))
    except ImportError as error:
        package = _DRIVERS.get(error.name or "", error.name)
        raise UsageError(
            f"--uri {shown(uri)}",
            cause=f"the database's driver is missing: {unspoken(str(error), uri)}",
            remedy=f"Install it: pip install '{package}'" if package else "Install it",
        ) from error
    except ValueError as error:
        raise _meaningless(uri, error) from error


def _refusals() -> tuple[type[Exception], ...]:
    """Return what is raised by the client, by requests (OSErrors) and by SQLAlchemy, if there."""
    from mlflow.exceptions import MlflowException

    if find_spec("sqlalchemy") is None:
        return MlflowException, OSError
    from sqlalchemy.exc import SQLAlchemyError

    return MlflowException, OSError, SQLAlchemyError


def _meaningless(uri: str, error: ValueError) -> UsageError:
    return UsageError(
        f"--uri {shown(uri)}",
        cause=f"it is no address: {unspoken(str(error), uri).rstrip('.')}",
        remedy="Write http://HOST:PORT, sqlite:///FILE.db or postgresql://USER:PASSWORD@HOST/NAME, "
        "with %40 for @ in a password",
    )


def _check(uri: str) -> None:
    try:
        kind = urlsplit(uri).scheme.partition("+")[0]
    except ValueError as error:
        raise _meaningless(uri, error) from error
    if find_spec("mlflow") is None:
        raise UsageError("featkit track", cause="MLflow is not installed", remedy=_INSTALL)
    if kind in _DATABASES and find_spec("sqlalchemy") is None:
        raise UsageError(f"--uri {shown(uri)}", cause="databases need SQLAlchemy", remedy=_INSTALL)
    allowed = os.environ.get(_FOLDERS_ALLOWED, "").lower() in {"1", "true"}
    if kind in {"", "file"} and uri != "databricks" and not allowed:
        raise UsageError(
            f"--uri {shown(uri)}",
            cause="MLflow has given up plain folders",
            remedy="Give a database such as sqlite:///mlflow.db, or the address of a server",
        )


def _prepare(uri: str) -> None:
    """Look whether a server answers; make the folder of a database file."""
    if urlsplit(uri).scheme in WEB:
        import requests

        requests.get(f"{uri.rstrip('/')}/health", timeout=_PATIENCE_S).close()
    database = _database_file(uri)
    if database:
        database.parent.mkdir(parents=True, exist_ok=True)


def _database_file(uri: str) -> Path | None:
    path = uri.removeprefix("sqlite:///").partition("?")[0]
    return Path(path).absolute() if path != uri else None


def _experiment(client: MlflowClient, uri: str, name: str) -> str:
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(client.create_experiment(name, artifact_location=_files_of(uri)))
        except MlflowException:  # somebody else has just made it
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise UsageError(
            f"--experiment {name}",
            cause="it was deleted there, and its name is still taken",
            remedy="Restore it in MLflow, or give another name",
        )
    return str(found.experiment_id)


def _files_of(uri: str) -> str | None:
    """Return where files lie beside a database file; servers decide for themselves."""
    database = _database_file(uri)
    return (database.parent / f"{database.stem}-files").as_uri() if database else None


@contextmanager
def _muted() -> Iterator[None]:
    """Keep MLflow from reporting its use to its makers, and from printing what it sets up."""
    before: Any = os.environ.get(_NO_REPORTS)
    if before is None:
        os.environ[_NO_REPORTS] = "true"
    import mlflow

    loggers = {each: each.level for each in map(logging.getLogger, (mlflow.__name__, "alembic"))}
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for logger, level in loggers.items():
            logger.setLevel(level)
        if before is None:
            del os.environ[_NO_REPORTS]
