"""Calibration inside the budget: none, a temperature, and the calibrator of all classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

import featkit
from benchmarks.harness import Report, Settings, Table, workshop
from benchmarks.material import feature_store
from featkit.evaluate import (
    METRICS,
    apply_temperature,
    class_calibration_error,
    fit_calibrator,
    fit_temperature,
)
from featkit.runs import HeldOut, Run, RunStore

__all__ = ["run"]

_BUDGETS, _QUICK_BUDGETS = (1, 5, 25, 100), (50,)
_DRAWS, _DRAWS_LARGE = 5, 2

Probabilities = NDArray[np.floating]

WAYS: Mapping[str, Callable[[HeldOut, Probabilities], Probabilities]] = MappingProxyType(
    {
        "none": lambda held, known: known,
        "temperature": lambda held, known: apply_temperature(
            known, fit_temperature(held.label, held.probabilities)
        ),
        "calibrator": lambda held, known: fit_calibrator(held.label, held.probabilities)(known),
    }
)
"""From what was held out inside the budget and the test probabilities to calibrated ones."""


def run(settings: Settings) -> Report:
    """Calibrate the Runs of all heads in each way and score the test images."""
    report = Report("calibration", settings.told())
    with workshop() as work:
        store, real = feature_store(work, quick=settings.quick)
        design = featkit.Design(
            budgets=_QUICK_BUDGETS if settings.quick else _BUDGETS,
            draws=_DRAWS,
            draws_large=_DRAWS_LARGE,
        )
        featkit.fit([store], work / "runs", design=design, jobs=settings.threads)
        runs = list(RunStore(work / "runs"))
    rows = []
    for method, budget in sorted({(each.key.method, each.key.budget) for each in runs}):
        mine = [each for each in runs if (each.key.method, each.key.budget) == (method, budget)]
        found = {name: _scores(mine, way) for name, way in WAYS.items()}
        report.summary[f"{method} {budget:g}"] = found
        rows += [
            [method, f"{budget:g}%", name, *(f"{value:.3f}" for value in scores.values())]
            for name, scores in found.items()
        ]
    report.tables.append(_table(rows, real=real))
    return report


def _scores(
    runs: Sequence[Run], way: Callable[[HeldOut, Probabilities], Probabilities]
) -> dict[str, float]:
    """Return the means over Runs."""
    found = []
    for each in runs:
        if each.held_out is None:
            continue
        label, known = each.test.label, way(each.held_out, each.probabilities)
        by_class = class_calibration_error(label, known)[0]
        right = np.maximum(known[np.arange(len(label)), label], 1e-30)
        found.append(
            (
                float(-np.log(right).mean()),
                float(METRICS["ece"](label, known)[0]),
                float(by_class.mean()),
                float(by_class.max()),
                float(METRICS["balanced_accuracy"](label, known)[0]),
            )
        )
    names = ("log_loss", "top_error", "class_error", "worst_class_error", "balanced_accuracy")
    return dict(zip(names, np.mean(found, axis=0).tolist(), strict=True))


def _table(rows: Sequence[Sequence[str]], *, real: bool) -> Table:
    return Table(
        title="Calibrated on images held out inside the budget, scored on the test fold",
        columns=[
            "head",
            "budget",
            "calibration",
            "log-loss",
            "error of the top probability",
            "error, mean over classes",
            "error of the worst class",
            "balanced accuracy of the most probable",
        ],
        rows=rows,
        notes=[
            f"On {'MobileNetV2 features of HAM10000' if real else 'drawn features'}, means over "
            "draws. Heads are trained with class weights.",
        ],
    )
