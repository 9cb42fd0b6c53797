"""Runs as tables: a row a Run, or a row an image and Run; as data frames, Parquet or CSV."""

from featkit.tables.frames import prediction_table, run_row, run_table
from featkit.tables.parquet import TableForm, check_form, table_facts, write_frames
from featkit.tables.writing import TABLES, write_tables

__all__ = [
    "TABLES",
    "TableForm",
    "check_form",
    "prediction_table",
    "run_row",
    "run_table",
    "table_facts",
    "write_frames",
    "write_tables",
]
