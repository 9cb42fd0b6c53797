"""What all benchmarks share: rounds, processes, ratios with their spread, and the report."""

from benchmarks.harness.measurement import Absent, Contender, Measurement
from benchmarks.harness.processes import ROOT, Script, run_command, run_script
from benchmarks.harness.report import Report, Table
from benchmarks.harness.rounds import Round, alternate, calibrated, under_way
from benchmarks.harness.settings import Settings, workshop
from benchmarks.harness.spread import Spread, ratios
from benchmarks.harness.watching import Watcher

__all__ = [
    "ROOT",
    "Absent",
    "Contender",
    "Measurement",
    "Report",
    "Round",
    "Script",
    "Settings",
    "Spread",
    "Table",
    "Watcher",
    "alternate",
    "calibrated",
    "ratios",
    "run_command",
    "run_script",
    "under_way",
    "workshop",
]
