"""Data frames in files: Parquet with the types as they are, or CSV."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from featkit.errors import UsageError
from featkit.files import atomic_path
from featkit.provenance import software_versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TableForm", "check_form", "table_facts", "write_frames"]

TableForm = Literal["csv", "parquet"]

SCHEMA = 1
"""Raise when a column changes its meaning or its name."""

_ATTRS = "PANDAS_ATTRS"
"""Where pandas keeps, and finds again, a data frame's `attrs`."""


def check_form(form: TableForm) -> None:
    """Refuse a form that could not be written at the end.

    Raises:
        UsageError: It needs a package that is not installed.
    """
    if form == "parquet" and find_spec("pyarrow") is None:
        raise UsageError(
            "--format parquet",
            cause="Parquet is written by pyarrow, which is not installed",
            remedy="Install it: pip install 'featkit[parquet]', or use --format csv",
        )


def table_facts(table: str, *, plans: Iterable[str]) -> dict[str, str]:
    """Return what a file says of its origin.

    Args:
        table: What a row is of: `runs`, `predictions`, `comparison`.
        plans: Fingerprints of the Plans that the Runs are of.
    """
    return {
        "featkit.table": table,
        "featkit.schema": str(SCHEMA),
        "featkit.version": software_versions([]).get("featkit", "unknown"),
        "featkit.plan": ",".join(sorted(set(plans))),
    }


def write_frames(
    frames: Iterable[pd.DataFrame], path: Path, *, form: TableForm, facts: Mapping[str, str]
) -> None:
    """Write data frames with the same columns below each other, one at a time in memory.

    Args:
        frames: At least one.
        path: The file.
        form: `parquet` keeps every type; numbers in `csv` are such that reading them again gives
            the same ones.
        facts: Kept in the Parquet file's schema, where `pandas.read_parquet` finds them as `attrs`.

    Raises:
        UsageError: See `check_form`.
        StoreError: The file cannot be written.
    """
    check_form(form)
    with atomic_path(path) as temporary:
        if form == "parquet":
            _write_parquet(frames, temporary, facts)
            return
        with temporary.open("w", newline="", encoding="utf-8") as file:
            for number, frame in enumerate(frames):
                frame.to_csv(file, index=False, header=number == 0)


def _write_parquet(frames: Iterable[pd.DataFrame], path: Path, facts: Mapping[str, str]) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    writer: Any = None
    try:
        for frame in frames:
            table = pa.Table.from_pandas(frame, preserve_index=False)
            if writer is None:
                kept = {**facts, _ATTRS: json.dumps(dict(facts))}
                metadata = {**(table.schema.metadata or {}), **kept}
                schema = table.schema.with_metadata(metadata)
                writer = parquet.ParquetWriter(path, schema, compression="zstd")
            writer.write_table(table.cast(writer.schema))
    finally:
        if writer is not None:
            writer.close()
