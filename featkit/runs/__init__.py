"""Runs: the waist of the house. Methods write them, evaluation reads them."""

from featkit.runs.run import Cost, HeldOut, Run, RunKey, TestSet
from featkit.runs.storage import RunStore, filled_store

__all__ = ["Cost", "HeldOut", "Run", "RunKey", "RunStore", "TestSet", "filled_store"]
