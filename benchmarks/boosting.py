"""The LightGBM head against LGBMClassifier with its defaults: time, and balanced accuracy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

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
from benchmarks.predictions import balanced_accuracy, paired

__all__ = ["run"]

_FEATKIT, _DEFAULT, _BALANCED = "featkit", "LGBMClassifier", "LGBMClassifier, balanced"
_ROWS, _QUICK_ROWS = 8_000, 400


class _Fits:
    """The contenders: every fit has another seed, and keeps its predictions."""

    def __init__(self, data: Path, work: Path, threads: int) -> None:
        self.data = data
        self.work = work
        self.threads = threads
        self.predictions: dict[str, list[Path]] = defaultdict(list)

    def contenders(self) -> list[Contender]:
        return [
            Contender(_FEATKIT, lambda _: self._fit(_FEATKIT, "fit_boosting_featkit"), 1),
            Contender(_DEFAULT, lambda _: self._default(_DEFAULT, None), 1),
            Contender(_BALANCED, lambda _: self._default(_BALANCED, "balanced"), 1),
        ]

    def _default(self, name: str, class_weight: str | None) -> Measurement:
        return self._fit(name, "fit_boosting_default", class_weight=class_weight)

    def _fit(self, name: str, module: str, **more: object) -> Measurement:
        done = self.predictions[name]
        out = self.work / f"{name}-{len(done)}.npz"
        arguments = {
            "data": str(self.data),
            "out": str(out),
            "seed": len(done),
            "threads": self.threads,
            **more,
        }
        measured = run_script(Script(module, arguments))
        done.append(out)
        return measured


def run(settings: Settings) -> Report:
    """Measure fits of 8,000 rows, a seed a round."""
    report = Report("boosting", settings.told())
    with workshop() as work:
        store, real = feature_store(work, quick=settings.quick)
        rows = _QUICK_ROWS if settings.quick else _ROWS
        data = save_split(store, rows, work / "data.npz")
        fits = _Fits(data, work, settings.threads)
        rounds = alternate(fits.contenders(), settings.rounds, settings.watcher)
        report.keep("fit", rounds)
        report.tables.append(_table(rounds, fits, real=real))
        ours = fits.predictions[_FEATKIT]
        for name in (_DEFAULT, _BALANCED):
            report.summary[name] = {
                "share_of_time": _share(rounds, name).to_dict(),
                "score_difference": asdict(paired(data, ours, fits.predictions[name])),
            }
        report.summary["real_features"] = real
    return report


def _table(rounds: Sequence[Round], fits: _Fits, *, real: bool) -> Table:
    rows = []
    ours = fits.predictions[_FEATKIT]
    for name in rounds[0]:
        theirs = fits.predictions[name]
        compared = ["–", "–"]
        if name != _FEATKIT:
            gap = paired(fits.data, ours, theirs)
            compared = [
                _share(rounds, name).text(3),
                f"{gap.point:+.3f} [{gap.low:+.3f}, {gap.high:+.3f}]",
            ]
        score = balanced_accuracy(fits.data, theirs)
        seconds = Spread.of([each[name].seconds for each in rounds])
        rows.append([name, seconds.text(), compared[0], f"{score:.3f}", compared[1]])
    shape = np.load(fits.data)["X"].shape
    return Table(
        title=f"One LightGBM fit, {shape[0]:,} x {shape[1]:,} x 7",
        columns=[
            "who",
            "seconds",
            "featkit's share of its time",
            "balanced accuracy",
            "featkit minus it",
        ],
        rows=rows,
        notes=[
            f"On {'MobileNetV2 features of HAM10000' if real else 'drawn features'}; fitting and "
            "predicting the test images on all cores. Median of the rounds and their range; each "
            "with another seed. Differences of balanced accuracy: mean over the seeds, with a 95% "
            "paired bootstrap interval over lesions. `balanced` has class_weight='balanced'.",
        ],
    )


def _share(rounds: Sequence[Round], name: str) -> Spread:
    return ratios(
        [each[_FEATKIT].seconds for each in rounds], [each[name].seconds for each in rounds]
    )
