"""Delimited text as columns of text, with errors that name the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.data.places import Place
from featkit.errors import DataError

__all__ = ["Table", "read_header", "read_table"]

_DELIMITERS = ",\t;"


@dataclass(frozen=True)
class Table:
    """The columns of one file, all as text, surrounding blanks removed.

    Attributes:
        path: The file.
        columns: Each of shape (number of rows,).
    """

    path: Place
    columns: Mapping[str, NDArray[np.str_]]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __getitem__(self, name: str) -> NDArray[np.str_]:
        """Return a column.

        Raises:
            DataError: There is no such column; the message lists those there are.
        """
        if name not in self.columns:
            raise DataError(
                f"{self.path} has no column {name!r}",
                cause=f"its columns are {', '.join(self.columns)}",
                remedy="Name the right column, or check that this is the right file",
            )
        return self.columns[name]

    def others(self, *names: str | None) -> dict[str, NDArray[np.str_]]:
        """Return all columns but these."""
        return {name: values for name, values in self.columns.items() if name not in names}


def read_header(path: Place) -> tuple[str, ...]:
    """Return the names of a table's columns, none where the file is no table."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as handle:
            line = handle.readline(1_000_000)
            return tuple(_cells(next(csv.reader([line], delimiter=_delimiter(line)), [])))
    except (OSError, UnicodeDecodeError, csv.Error):
        return ()


def read_table(path: Place) -> Table:
    """Read a comma-, tab- or semicolon-separated file with a header.

    Raises:
        DataError: The file is missing, empty, no text, or its rows differ in length.
    """
    with _table_errors(path), path.open(encoding="utf-8-sig", newline="") as handle:
        line = handle.readline()
        handle.seek(0)
        rows = csv.reader(handle, delimiter=_delimiter(line), strict=True)
        header = _cells(next(rows, []))
        body = [_row(cells, header, rows.line_num) for cells in rows if cells]
    if not body:
        raise _unreadable(path, "it holds no rows")
    if len(set(header)) < len(header):
        raise _unreadable(path, "two columns have the same name")
    columns = zip(*body, strict=True)
    return Table(
        path, {name: np.array(column) for name, column in zip(header, columns, strict=True)}
    )


def _row(cells: list[str], header: list[str], line: int) -> list[str]:
    if len(cells) != len(header):
        raise csv.Error(f"line {line} has {len(cells)} cells where the header has {len(header)}")
    return _cells(cells)


def _cells(cells: list[str]) -> list[str]:
    return [cell.strip() for cell in cells]


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)


@contextmanager
def _table_errors(path: Place) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError:
        raise _unreadable(path, "it is not UTF-8 text") from None
    except csv.Error as error:
        raise _unreadable(path, str(error)) from None
    except OSError as error:
        raise _unreadable(path, f"{error.strerror}".lower()) from None


def _unreadable(path: Place, cause: str) -> DataError:
    return DataError(
        f"cannot read the table {path}",
        cause=cause,
        remedy="Check the file, or unpack or download it again",
    )
