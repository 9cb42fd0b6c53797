"""measure_leakage: one test set, training sets with its siblings and without, compared in pairs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from featkit.comparison._resampling import Resampling, Runs
from featkit.comparison._scored import in_common
from featkit.comparison._values import Part, Values
from featkit.comparison.comparison import Estimate
from featkit.comparison.gathering import Grid, gather
from featkit.comparison.leakage import Leakage, LeakageOfClass, LeakageScore, LeakyTraining
from featkit.evaluate import METRICS, Metric, class_recall
from featkit.plans import Plan, has_siblings
from featkit.progress import NoProgress, Progress

__all__ = ["measure_leakage"]

_METRICS = ("balanced_accuracy", "accuracy")
_ARMS = ("-clean", "-leaky", "")

_Pair = tuple[Runs, Runs]
"""Clean and leaky Runs of the same folds and draws."""


def measure_leakage(
    folder: Path | str,
    grouped: Sequence[Path | str] | Path | str,
    *,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Leakage:
    """Compare training sets that leak with training sets that do not, on the same test images.

    Intervals are 95% percentile intervals from a bootstrap over test lesions and draws.

    Args:
        folder: What `fit_leakage` left.
        grouped: The grouped Runs that it repeated.
        resamples: Bootstrap resamples.
        seed: Of the bootstrap.
        progress: Told of every finished method and budget.

    Raises:
        StoreError: A folder holds no Runs.
        PlanError: The Runs in a folder are not of one Plan.
    """
    plan = Plan.load(Path(folder) / "random-leaky" / "plan.json")
    clean, leaky, naive = (gather([Path(folder) / f"random{arm}"]) for arm in _ARMS)
    honest = gather([grouped] if isinstance(grouped, Path | str) else grouped)
    sides = _Sides(plan, clean, naive, honest, resamples=resamples, seed=seed)
    listener = progress or NoProgress()
    listener.start("leakage", total=len(clean.cells), unit="cells")
    scores: list[LeakageScore] = []
    by_class: list[LeakageOfClass] = []
    for method in clean.methods:
        for budget in clean.budgets:
            pair = in_common(clean.runs(method, budget), leaky.runs(method, budget))
            if pair[0]:
                scores += [sides.score(method, budget, pair, METRICS[name]) for name in _METRICS]
                by_class += sides.by_class(method, budget, pair)
            listener.advance(1, note=f"{method} at {budget:g}%")
    listener.finish()
    tests = list(clean.tests.values())
    return Leakage(
        test_images=sum(len(test.image_id) for test in tests),
        test_lesions=len(np.unique(np.concatenate([test.group for test in tests]))),
        test_images_with_siblings=sum(int(has_siblings(plan, fold).sum()) for fold in clean.tests),
        resamples=resamples,
        seed=seed,
        plan=clean.plan,
        training=tuple(_training(plan, leaky, budget) for budget in leaky.budgets),
        scores=tuple(scores),
        by_class=tuple(by_class),
    )


class _Sides:
    """The statistics of leaky and clean Runs, and of the naive pair beside them."""

    def __init__(
        self, plan: Plan, clean: Grid, naive: Grid, honest: Grid, *, resamples: int, seed: int
    ) -> None:
        of = partial(Part, clean.tests, resamples=resamples, seed=seed)
        siblings = {fold: has_siblings(plan, fold) for fold in clean.tests}
        self._whole = of({fold: np.ones_like(mask) for fold, mask in siblings.items()})
        self._with = of(siblings)
        self._without = of({fold: ~mask for fold, mask in siblings.items()})
        self._grids = (naive, honest)
        self._resamplings = tuple(
            Resampling(grid.tests, resamples=resamples, seed=seed) for grid in self._grids
        )

    def score(self, method: str, budget: float, pair: _Pair, metric: Metric) -> LeakageScore:
        clean, leaky = (self._whole.values(runs, metric) for runs in pair)
        return LeakageScore(
            method=method,
            budget=budget,
            metric=metric.name,
            runs=len(pair[0]),
            clean=clean.estimate(),
            leaky=leaky.estimate(),
            difference=leaky.minus(clean),
            with_siblings=_difference(self._with, pair, metric),
            without_siblings=_difference(self._without, pair, metric),
            naive=self._naive(method, budget, metric),
        )

    def by_class(self, method: str, budget: float, pair: _Pair) -> list[LeakageOfClass]:
        clean, leaky = (self._whole.values(runs, class_recall) for runs in pair)
        naive = self._grids[0]
        label = np.concatenate([test.label for test in naive.tests.values()])
        return [
            LeakageOfClass(
                method,
                budget,
                name,
                int(np.sum(label == index)),
                clean.estimate(index),
                leaky.estimate(index),
                leaky.minus(clean, index),
            )
            for index, name in enumerate(naive.classes)
        ]

    def _naive(self, method: str, budget: float, metric: Metric) -> Estimate | None:
        random, honest = in_common(*(grid.runs(method, budget) for grid in self._grids))
        if not random or not _alike(random, honest):
            return None
        first, second = (
            Values(resampling, runs, metric)
            for resampling, runs in zip(self._resamplings, (random, honest), strict=True)
        )
        return first.minus(second)


def _difference(part: Part, pair: _Pair, metric: Metric) -> Estimate | None:
    if part.is_empty:
        return None
    clean, leaky = (part.values(runs, metric) for runs in pair)
    return leaky.minus(clean)


def _alike(first: Runs, second: Runs) -> bool:
    """Tell whether Runs are of one method on the same features, with the same options."""
    keys = [run.key for runs in (first, second) for run in runs.values()]
    return all((key.config, key.source) == (keys[0].config, keys[0].source) for key in keys)


def _training(plan: Plan, leaky: Grid, budget: float) -> LeakyTraining:
    images, siblings = [], []
    for fold, draw in sorted(leaky.keys(budget)):
        rows = plan.train_rows(fold, budget, draw)
        images.append(len(rows))
        siblings.append(np.isin(plan.group[rows], plan.group[plan.test_rows(fold)]).sum())
    return LeakyTraining(budget, float(np.mean(images)), float(np.mean(siblings)))
