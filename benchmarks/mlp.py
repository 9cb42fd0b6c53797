"""MLP heads of several draws: trained in one batch against one by one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.harness import (
    Contender,
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

__all__ = ["run"]

_TOGETHER, _APART = "together", "one by one"
_DRAWS = 5
_TRAIN, _QUICK_TRAIN = 8_000, 600
_ROWS, _QUICK_ROWS = (80, 800, 2_000, 8_000), (100, 300)


def run(settings: Settings) -> Report:
    """Measure five draws of several sizes."""
    report = Report("mlp", {**settings.told(), "draws": _DRAWS})
    with workshop() as work:
        store, real = feature_store(work, quick=settings.quick)
        data = save_split(store, _QUICK_TRAIN if settings.quick else _TRAIN, work / "data.npz")
        rows = []
        for number in _QUICK_ROWS if settings.quick else _ROWS:
            settings.watcher.section(f"{_DRAWS} draws of {number:,} rows")
            rounds = alternate(
                _contenders(data, number, work, settings.threads), settings.rounds, settings.watcher
            )
            report.keep(f"{number} rows", rounds)
            faster = ratios(_seconds(rounds, _APART), _seconds(rounds, _TOGETHER))
            same, apart = _agreement(work)
            rows.append(
                [
                    f"{number:,}",
                    *(Spread.of(_seconds(rounds, name)).text() for name in (_TOGETHER, _APART)),
                    faster.text(),
                    f"{100 * same:.2f}%",
                    f"{apart:.1e}",
                ]
            )
            report.summary[str(number)] = {
                "times_faster": faster.to_dict(),
                "same_predictions": same,
                "largest_difference": apart,
            }
        report.tables.append(_table(rows, real=real))
    return report


def _contenders(data: Path, rows: int, work: Path, threads: int) -> list[Contender]:
    def one(name: str) -> Contender:
        arguments = {
            "data": str(data),
            "rows": rows,
            "draws": _DRAWS,
            "threads": threads,
            "together": name == _TOGETHER,
            "out": str(work / f"{name}.npz"),
        }
        return Contender(name, lambda _: run_script(Script("fit_mlps", arguments)), _DRAWS)

    return [one(_TOGETHER), one(_APART)]


def _agreement(work: Path) -> tuple[float, float]:
    """Return the share of equal predictions, and the largest difference of probabilities."""
    one, other = (np.load(work / f"{name}.npz")["probabilities"] for name in (_TOGETHER, _APART))
    same = np.mean(one.argmax(axis=-1) == other.argmax(axis=-1))
    return float(same), float(np.abs(one - other).max())


def _table(rows: Sequence[Sequence[str]], *, real: bool) -> Table:
    return Table(
        title=f"{_DRAWS} MLP heads, each on its own draw",
        columns=[
            "rows of each",
            f"{_TOGETHER}, s",
            f"{_APART}, s",
            "times faster",
            "equal predictions",
            "largest difference of a probability",
        ],
        rows=rows,
        notes=[
            f"On {'MobileNetV2 features of HAM10000' if real else 'drawn features'}, all cores. "
            "Median of the rounds and their range; ratios are taken within a round.",
        ],
    )


def _seconds(rounds: Sequence[Round], name: str) -> list[float]:
    return [each[name].seconds for each in rounds]
