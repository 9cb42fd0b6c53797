"""The linear head against scikit-learn's LogisticRegression in a loop; and a whole sweep."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np

from benchmarks.harness import (
    Contender,
    Measurement,
    Report,
    Round,
    Script,
    Settings,
    Spread,
    Table,
    alternate,
    ratios,
    run_script,
    workshop,
)
from benchmarks.material import feature_store, save_split
from benchmarks.predictions import balanced_accuracy
from featkit import FeatureStore

__all__ = ["run"]

_FEATKIT, _COLD, _WARM = "featkit", "scikit-learn", "scikit-learn, warm_start"
_ROWS, _QUICK_ROWS = 8_000, 600
_STRENGTHS = tuple(float(strength) for strength in np.logspace(-5, 1, 10))
_BUDGETS = (1, 2, 5, 10, 25, 50, 100)


def run(settings: Settings) -> Report:
    """Measure one fit with its choice of strength, its exactness, and a sweep."""
    quick, watcher = settings.quick, settings.watcher
    report = Report("linear", settings.told())
    with workshop() as work:
        store, real = feature_store(work, quick=quick)
        data = save_split(store, _QUICK_ROWS if quick else _ROWS, work / "data.npz")
        rounds = alternate(_contenders(data, work, settings.threads), settings.rounds, watcher)
        report.keep("fit", rounds)
        strengths = _STRENGTHS[:7:3] if quick else _STRENGTHS
        watcher.begins("comparing optima")
        check = _check(data, strengths, settings.threads)
        sweep = _sweep(store, real, work, settings)
        report.keep("sweep", sweep)
        report.tables += [
            _fit_table(rounds, data, work, real=real),
            _check_table(check),
            _sweep_table(sweep),
        ]
    names = [name for name in rounds[0] if name != _FEATKIT]
    report.summary.update(
        seconds={name: _seconds(rounds, name).to_dict() for name in rounds[0]},
        times_faster={name: _faster(rounds, name).to_dict() for name in names},
        optima=check.facts["found"],
        sweep_seconds=_seconds(sweep, _FEATKIT).to_dict(),
        real_features=real,
    )
    return report


def _contenders(data: Path, work: Path, threads: int) -> list[Contender]:
    def one(name: str, module: str, **more: object) -> Contender:
        arguments = {"data": str(data), "out": str(_predictions(work, name)), **more}
        return Contender(name, lambda _: run_script(Script(module, arguments)), 1)

    return [
        one(_FEATKIT, "fit_linear_featkit", threads=threads),
        one(_COLD, "fit_linear_sklearn", warm_start=False),
        one(_WARM, "fit_linear_sklearn", warm_start=True),
    ]


def _check(data: Path, strengths: Sequence[float], threads: int) -> Measurement:
    arguments = {"data": str(data), "strengths": strengths, "threads": threads}
    return run_script(Script("check_linear", arguments))


def _sweep(store: FeatureStore, real: bool, work: Path, settings: Settings) -> list[Round]:
    arguments = {
        "store": str(store.path),
        "drawn": not real,
        "budgets": (25, 100) if settings.quick else _BUDGETS,
        "draws": 2 if settings.quick else 5,
    }
    outs = (str(work / f"sweep-{number}") for number in range(settings.rounds))
    contender = Contender(
        _FEATKIT, lambda _: run_script(Script("sweep_linear", {**arguments, "out": next(outs)})), 1
    )
    return alternate([contender], settings.rounds, settings.watcher)


def _fit_table(rounds: Sequence[Round], data: Path, work: Path, *, real: bool) -> Table:
    rows = []
    shape = np.load(data)["X"].shape
    for name in rounds[0]:
        facts = rounds[0][name].facts
        score = balanced_accuracy(data, [_predictions(work, name)])
        rows.append(
            [
                name,
                _seconds(rounds, name).text(),
                "–" if name == _FEATKIT else _faster(rounds, name).text(1),
                f"{Spread.of([each[name].core_seconds for each in rounds]).middle:.1f}",
                str(facts["strengths"]),
                f"{facts['chosen']:.3g}",
                f"{score:.3f}",
            ]
        )
    source = "MobileNetV2 features of HAM10000" if real else "drawn features"
    return Table(
        title=f"One fit: 10 strengths x 5 inner folds, {shape[0]:,} x {shape[1]:,} x 7",
        columns=[
            "who",
            "seconds",
            "featkit is times faster",
            "core-seconds",
            "strengths tried",
            "C chosen",
            "balanced accuracy",
        ],
        rows=rows,
        notes=[
            f"On {source}; fitting and predicting the test images. Median of the {len(rounds)} "
            "rounds and their range; ratios are taken within a round. The inner folds are each "
            "library's own, both keep lesions together. featkit may stop early once stronger "
            "and weaker penalties are clearly worse.",
        ],
    )


def _check_table(check: Measurement) -> Table:
    found = cast(list[dict[str, Any]], check.facts["found"])
    return Table(
        title="The same optimum: featkit's linear head beside scikit-learn's, solved to 1e-7",
        columns=["C", "objective above scikit-learn's, relative", "equal predictions"],
        rows=[
            [
                f"{each['C']:.3g}",
                f"{each['objective_excess']:+.1e}",
                f"{100 * each['same_predictions']:.2f}%",
            ]
            for each in found
        ],
    )


def _sweep_table(rounds: Sequence[Round]) -> Table:
    return Table(
        title="The whole linear sweep: label budgets x draws, choice of strength in each",
        columns=["who", "Runs", "seconds"],
        rows=[
            [_FEATKIT, f"{rounds[0][_FEATKIT].work:.0f}", _seconds(rounds, _FEATKIT).text(1)],
        ],
        notes=["featkit.fit from its call to the last Run on disk, on all cores."],
    )


def _predictions(work: Path, name: str) -> Path:
    return work / f"{name}.npz"


def _seconds(rounds: Sequence[Round], name: str) -> Spread:
    return Spread.of([each[name].seconds for each in rounds])


def _faster(rounds: Sequence[Round], name: str) -> Spread:
    return ratios(
        [each[name].seconds for each in rounds], [each[_FEATKIT].seconds for each in rounds]
    )
