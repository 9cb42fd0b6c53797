"""compare: Runs in, scores with intervals and paired differences out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featkit.comparison._costs import Costs
from featkit.comparison._differences import paired_differences, resamples_needed
from featkit.comparison._focus import FocusMetric, focus_metric
from featkit.comparison._resampling import Resampling, Runs, estimate
from featkit.comparison._scored import Scored
from featkit.comparison.comparison import (
    CellResult,
    ClassResult,
    Comparison,
    Estimate,
)
from featkit.comparison.gathering import Grid, gather
from featkit.errors import UsageError
from featkit.evaluate import (
    METRICS,
    Metric,
    class_precision,
    class_recall,
    find_metric,
)
from featkit.progress import NoProgress, Progress

__all__ = ["compare"]


def compare(
    runs: Grid | Sequence[Path | str] | Path | str,
    *,
    metric: str = "balanced_accuracy",
    reference: str | None = None,
    focus: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
    progress: Progress | None = None,
) -> Comparison:
    """Compare all methods, whether they learned on frozen features or by fine-tuning.

    Every score has a 95% percentile interval from a bootstrap over test lesions and training
    draws; differences are paired on both, with Holm's correction over all that are reported.

    Args:
        runs: Output folders of `fit` and `finetune`, or the Runs gathered from them.
        metric: Decides the main table, the reference and the differences.
        reference: Row that the others are compared with; None = the best at the largest budget.
        focus: Class whose sensitivity at 95% specificity is reported; None = melanoma, where
            the data set has it.
        resamples: Bootstrap resamples of the intervals; the differences take more where their
            number asks for it, so that a clear one can pass Holm's correction.
        seed: Of the bootstrap.
        progress: Told of every finished cell.

    Raises:
        StoreError: A folder holds no Runs.
        PlanError: The Runs were made on different Plans or test sets.
        UsageError: Unknown metric, reference or class.
    """
    find_metric(metric)
    listener = progress or NoProgress()
    grid = runs if isinstance(runs, Grid) else gather(runs)
    focused = focus_metric(grid.classes, focus)
    metrics: list[Metric | FocusMetric] = [*METRICS.values()] + ([focused] if focused else [])
    resampling = Resampling(grid.tests, resamples=resamples, seed=seed)
    listener.start("compare", total=len(grid.cells), unit="cells")
    costs, cells, by_class = Costs(grid), [], []
    for method, budget in sorted(grid.cells, key=lambda key: _place(grid, key)):
        made, complete = grid.runs(method, budget), grid.complete(method, budget)
        scores = _scores(made, resampling, metrics)
        cells.append(_cell(method, budget, made, scores, costs, complete=complete))
        by_class += _classes(method, budget, made, grid.classes, resampling)
        listener.advance(1, note=f"{method} at {budget:g}%")
    listener.finish()
    found = Comparison(
        metric=metric,
        split=grid.split,
        test=next(iter(grid.tests.values())).name,
        test_images=len(_distinct(test.image_id for test in grid.tests.values())),
        test_lesions=len(_distinct(test.group for test in grid.tests.values())),
        classes=grid.classes,
        focus=grid.classes[focused.class_index] if focused else "",
        methods=grid.methods,
        budgets=grid.budgets,
        resamples=resamples,
        resamples_differences=0,
        seed=seed,
        plan=grid.plan,
        cells=tuple(cells),
        by_class=tuple(by_class),
        differences=(),
    )
    against = _reference(found, reference)
    enough = max(resamples, resamples_needed(grid, against))
    again = (
        resampling if enough == resamples else Resampling(grid.tests, resamples=enough, seed=seed)
    )
    differences = paired_differences(grid, against, Scored(METRICS[metric], again))
    return replace(found, differences=differences, resamples_differences=enough)


def _distinct(columns: Iterable[NDArray[np.str_]]) -> NDArray[np.str_]:
    return np.unique(np.concatenate(list(columns)))


def _place(grid: Grid, key: tuple[str, float]) -> tuple[int, float]:
    return grid.methods.index(key[0]), key[1]


def _scores(
    runs: Runs, resampling: Resampling, metrics: Sequence[Metric | FocusMetric]
) -> dict[str, Estimate]:
    return {
        score.name: estimate(float(resampling.point(runs, score)), resampling.samples(runs, score))
        for score in metrics
    }


def _cell(
    method: str,
    budget: float,
    runs: Runs,
    scores: Mapping[str, Estimate],
    costs: Costs,
    *,
    complete: bool,
) -> CellResult:
    made = list(runs.values())
    return CellResult(
        method=method,
        budget=budget,
        runs=len(made),
        complete=complete,
        train_lesions=float(np.mean([run.train_lesions for run in made])),
        train_images=float(np.mean([run.train_images for run in made])),
        scores=scores,
        wall_s=float(np.mean([run.cost.wall_s for run in made])),
        device_s=float(np.mean([run.cost.device_s for run in made])),
        features_s=float(np.mean([run.cost.features_s for run in made])),
        parameters_trained=made[-1].cost.parameters_trained,
        images_seen=float(np.mean([run.cost.images_seen for run in made])),
        peak_memory_mb=max(run.cost.peak_memory_mb for run in made),
        alone_s=float(np.mean([costs.alone(run) for run in made])),
        shared_s=float(np.mean([costs.shared(run) for run in made])),
        devices=tuple(sorted({run.cost.device for run in made})),
        frozen=made[0].frozen,
    )


def _classes(
    method: str, budget: float, runs: Runs, classes: Sequence[str], resampling: Resampling
) -> list[ClassResult]:
    tests = {run.test.fingerprint: run.test.label for run in runs.values()}
    label = np.concatenate(list(tests.values()))
    values = [
        (resampling.point(runs, statistic), resampling.samples(runs, statistic))
        for statistic in (class_recall, class_precision)
    ]
    return [
        ClassResult(
            method,
            budget,
            name,
            int(np.sum(label == index)),
            *(estimate(float(point[index]), samples[:, index]) for point, samples in values),
        )
        for index, name in enumerate(classes)
    ]


def _reference(comparison: Comparison, wanted: str | None) -> str:
    if wanted is None:
        return comparison.best().method
    if wanted not in comparison.methods:
        raise UsageError(
            f"--reference {wanted!r}",
            cause=f"the methods are {'; '.join(comparison.methods)}",
            remedy="Give one of these names",
        )
    return wanted
