"""`featkit tables`: Runs and their predictions as tables for other programs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from featkit_cli import console
from featkit_cli.options import Json, TableForm
from featkit_cli.progress import shown_progress

__all__ = ["tables"]


class TableName(StrEnum):
    """What a row is of."""

    RUNS = "runs"
    PREDICTIONS = "predictions"


def tables(
    runs: Annotated[
        list[Path], typer.Argument(metavar="DIR", help="Output folders of `fit` and `finetune`.")
    ],
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: DIR/tables of the first DIR.")
    ] = None,
    table: Annotated[
        list[TableName] | None,
        typer.Option(help="May be given several times. Default: both."),
    ] = None,
    form: Annotated[
        TableForm, typer.Option("--format", help="parquet keeps types; it needs the extra parquet.")
    ] = TableForm.PARQUET,
    as_json: Json = False,
) -> None:
    """Write all Runs as tables: scores and costs a Run, probabilities an image and Run.

    For pandas, Polars, DuckDB, R and spreadsheets. Nothing is rounded.
    """
    from featkit.tables import write_tables

    chosen = [choice.value for choice in table or list(TableName)]
    with console.interruptible(), shown_progress() as shown:
        paths = write_tables(
            runs, out or runs[0] / "tables", tables=chosen, form=form.value, progress=shown
        )
    if as_json:
        console.print_json([{"path": str(path), "bytes": path.stat().st_size} for path in paths])
        return
    for path in paths:
        console.say(f"{path}: {path.stat().st_size / 1e6:.2f} MB")
