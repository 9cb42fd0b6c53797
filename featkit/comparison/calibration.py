"""Calibration before and after temperature scaling that was fitted inside the budget."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from featkit.comparison._honesty import CalibrationScores, Honesty
from featkit.comparison._resampling import Resampling, Runs, estimate
from featkit.comparison.comparison import Estimate
from featkit.comparison.evidence import Evidence
from featkit.evaluate import apply_temperature, fit_temperature
from featkit.runs import Run

__all__ = ["Calibration", "calibrations"]


@dataclass(frozen=True)
class Calibration:
    """One method at one budget.

    Attributes:
        method: Row.
        budget: Percent of the training lesions.
        before: Of the probabilities that the Runs hold.
        after: Of these, scaled by the temperature of each Run; None where a Run has no held-out
            predictions to fit it on.
        ece_change: Calibration error after minus before, paired; None where there is no after.
        temperatures: Of each Run that has held-out predictions, in the order of folds and draws.
        runs: Number of Runs.
    """

    method: str
    budget: float
    before: CalibrationScores
    after: CalibrationScores | None
    ece_change: Estimate | None
    temperatures: tuple[float, ...]
    runs: int

    @property
    def note(self) -> str:
        """What of it is missing and why, or ""."""
        missing = self.runs - len(self.temperatures)
        if not missing:
            return ""
        return f"{missing} of {self.runs} Runs have no held-out predictions to fit a temperature on"


def calibrations(evidence: Evidence) -> Iterator[Calibration]:
    """Return the calibration of every row and budget.

    A Run's temperature is fitted on its held-out predictions, images of its own budget, so the
    test images stay untouched.
    """
    grid = evidence.grid
    for method in grid.methods:
        for budget in grid.budgets:
            runs = grid.runs(method, budget)
            if runs:
                yield _calibration(method, budget, runs, evidence.resampling)


def _calibration(method: str, budget: float, runs: Runs, resampling: Resampling) -> Calibration:
    temperatures = {
        key: fit_temperature(run.held_out.label, run.held_out.probabilities)
        for key, run in sorted(runs.items())
        if run.held_out is not None and len(run.held_out.label)
    }
    before = Honesty(runs, resampling)
    after = None
    if len(temperatures) == len(runs):
        scaled = {key: _scaled(run, temperatures[key]) for key, run in runs.items()}
        after = Honesty(scaled, resampling)
    return Calibration(
        method=method,
        budget=budget,
        before=before.scores(),
        after=after.scores() if after else None,
        ece_change=estimate(*after.ece_minus(before)) if after else None,
        temperatures=tuple(temperatures.values()),
        runs=len(runs),
    )


def _scaled(run: Run, temperature: float) -> Run:
    scaled = apply_temperature(run.probabilities, temperature)
    return replace(run, probabilities=scaled.astype(np.float32))
