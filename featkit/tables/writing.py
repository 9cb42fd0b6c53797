"""Write the tables of output folders, however many Runs they hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from featkit.errors import UsageError
from featkit.progress import NoProgress, Progress
from featkit.runs import Run, RunStore, filled_store
from featkit.tables.frames import prediction_table, run_table, same_classes
from featkit.tables.parquet import TableForm, check_form, table_facts, write_frames

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TABLES", "write_tables"]

TABLES: Mapping[str, Callable[[Iterable[Run]], pd.DataFrame]] = MappingProxyType(
    {"runs": run_table, "predictions": prediction_table}
)
"""The tables by name: a row a Run, a row a Run and test image."""

_AT_ONCE = 64
"""Runs in memory at a time, and in a row group of a Parquet file."""


def write_tables(
    folders: Sequence[Path | str],
    out: Path,
    *,
    tables: Sequence[str] = tuple(TABLES),
    form: TableForm = "parquet",
    progress: Progress | None = None,
) -> list[Path]:
    """Write all Runs of the folders as tables.

    Args:
        folders: Output folders of `fit` and `finetune`.
        out: The folder for `runs.parquet` and `predictions.parquet` (or `.csv`).
        tables: Which of them.
        form: `parquet` or `csv`.
        progress: Told of every Run read.

    Returns:
        The paths written.

    Raises:
        UsageError: There is no such table, or pyarrow is missing.
        StoreError: A folder holds no Runs or a damaged one, or the files cannot be written.
        DataError: The folders' Runs have other classes, which predictions cannot.
    """
    check_form(form)
    for name in tables:
        if name not in TABLES:
            raise UsageError(
                f"--table {name}",
                cause="there is no such table",
                remedy=f"Use one of: {', '.join(TABLES)}",
            )
    stores = [filled_store(Path(folder)) for folder in folders]
    # A folder takes Runs of one Plan only.
    examples = [run for run in (store.any_run() for store in stores) if run]
    if "predictions" in tables:
        same_classes(examples)
    plans = {run.key.plan for run in examples}
    listener = progress or NoProgress()
    count = sum(len(store.paths()) for store in stores)
    paths = []
    for name in tables:
        listener.start(name, total=count, unit="runs")
        frames = _frames(TABLES[name], stores, listener)
        paths.append(out / f"{name}.{form}")
        write_frames(frames, paths[-1], form=form, facts=table_facts(name, plans=plans))
        listener.finish()
    return paths


def _frames(
    make: Callable[[Iterable[Run]], pd.DataFrame], stores: Sequence[RunStore], listener: Progress
) -> Iterator[pd.DataFrame]:
    """Yield the table in parts of a few Runs."""
    held: list[Run] = []
    for run in chain.from_iterable(stores):
        held.append(run)
        listener.advance(1)
        if len(held) == _AT_ONCE:
            yield make(held)
            held = []
    if held:
        yield make(held)
