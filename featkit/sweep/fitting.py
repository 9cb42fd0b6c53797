"""fit: heads × budgets × draws × folds × feature files, in parallel, resumable by Run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib

from featkit.errors import PlanError
from featkit.features import FeatureStore
from featkit.files import output_lock
from featkit.fingerprints import stable_order
from featkit.plans import Plan, make_plan, named_difference
from featkit.progress import NoProgress, Progress
from featkit.runs import RunStore
from featkit.sweep._shares import Share, share_of
from featkit.sweep._tables import Table, read_table
from featkit.sweep._task import Task, TaskResult, result_of, run_task
from featkit.sweep.design import SweepDesign
from featkit.sweep.results import write_results

__all__ = ["Sweep", "fit"]


@dataclass(frozen=True)
class Sweep:
    """What `fit` leaves behind.

    Attributes:
        folder: Holds `runs/`, `plan.json` and `results.csv`.
        plan: The design's folds and draws.
        trained: Number of Runs made now.
        reused: Number of Runs that were there already.
    """

    folder: Path
    plan: Plan
    trained: int
    reused: int


def fit(
    stores: Sequence[FeatureStore],
    out: Path,
    *,
    design: SweepDesign | None = None,
    tests: Sequence[FeatureStore] = (),
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Sweep:
    """Train every head at every budget on every store, and write one Run for each.

    Runs that `out` holds already are kept: the same call continues interrupted work, and a call
    with more budgets, draws, heads or stores adds to it.

    Args:
        stores: Feature files of one data set, one for each backbone.
        out: Output folder.
        design: What to train; the default design where None.
        tests: Feature files of another data set, one for each backbone in `stores`: train as
            before and test on these images (external validation).
        jobs: Fits at a time; None = one for each core.
        progress: Told of every finished Run.

    Raises:
        StoreError: The stores do not fit together; `out` cannot be written.
        PlanError: The data cannot support the design; `out` holds Runs of another Plan.
        UsageError: An impossible option.
    """
    design = design or SweepDesign()
    listener = progress or NoProgress()
    table = read_table(stores, exclude_classes=design.exclude_classes)
    plan = _plan(table, design)
    with output_lock(out / "plan.json"):
        _same_plan(out, plan)
        plan.save(out / "plan.json", folds=design.use_folds, draws=design.draws)
        store = RunStore(out)
        shares = [share_of(table, index, plan, design, tests) for index in range(len(table.stores))]
        board = _Board(listener)
        todo = [_open_tasks(share, store, board) for share in shares]
        trained = sum(len(tasks) for tasks in todo)
        listener.start("fit", total=trained + board.shown, done=board.shown, unit="runs")
        for result in _results(shares, todo, out, jobs or joblib.cpu_count()):
            board.show(result)
        listener.finish()
        write_results(store, out / "results.csv")
    return Sweep(out, plan, trained=trained, reused=board.shown - trained)


def _plan(table: Table, design: SweepDesign) -> Plan:
    first = table.stores[0]
    return make_plan(
        image_id=table.column(first.image_id),
        label=table.label,
        group=table.column(first.group),
        classes=table.classes,
        pixel_hash=table.column(first.pixel_hash),
        official=None if first.split is None else table.column(first.split),
        split=design.split,
        folds=design.folds,
        seed=design.seed,
    )


def _same_plan(out: Path, plan: Plan) -> None:
    """Refuse to mix Runs of two Plans in one folder."""
    path = out / "plan.json"
    if not path.exists():
        return
    difference = named_difference(Plan.load(path), plan)
    if difference is not None:
        raise PlanError(
            f"{out} holds Runs of another Plan",
            cause=difference,
            remedy="Choose another --out, or repeat the options of the first command",
        )


class _Board:
    """The running score: the mean balanced accuracy of each method and budget so far."""

    def __init__(self, listener: Progress) -> None:
        self._listener = listener
        self._scores: dict[tuple[str, float], list[float]] = defaultdict(list)
        self.shown = 0

    def add(self, result: TaskResult) -> list[float]:
        scores = self._scores[result.name, result.budget]
        scores.append(result.balanced_accuracy)
        self.shown += 1
        return scores

    def show(self, result: TaskResult) -> None:
        scores = self.add(result)
        mean = sum(scores) / len(scores)
        note = f"{result.name} at {result.budget:g}%: balanced accuracy {mean:.3f}"
        self._listener.advance(1, note=note)


def _open_tasks(share: Share, store: RunStore, board: _Board) -> list[Task]:
    """Return the tasks without a Run, in an order that mixes quick and slow ones.

    A mixed order keeps the rate, and so the time left, honest from the start.
    """
    tasks = []
    for task in share.tasks():
        run = store.find(task.key)
        if run is None:
            tasks.append(task)
        else:
            board.add(result_of(run))
    return [tasks[index] for index in stable_order(task.key.digest for task in tasks)]


def _results(
    shares: Sequence[Share], todo: Sequence[Sequence[Task]], out: Path, jobs: int
) -> Iterator[TaskResult]:
    """Train, one store after the other, so that only its features are in memory."""
    for share, tasks in zip(shares, todo, strict=True):
        if not tasks:
            continue
        arrays = share.arrays()
        workers = min(jobs, len(tasks))
        threads = max(1, jobs // workers)
        with joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=threads):
            parallel = joblib.Parallel(return_as="generator_unordered")
            yield from parallel(
                joblib.delayed(run_task)(task, arrays, out, threads=threads) for task in tasks
            )
