"""fit: heads × budgets × draws × folds × feature files, in parallel, resumable by Run."""

from __future__ import annotations

import signal
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from featkit.errors import PlanError, StoreError
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

_IDLE_S = 30
"""Seconds after which workers end whose parent is gone."""


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
    out: Path | str,
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
        PlanError: The data cannot support the design; `out` holds Runs of another Plan or test set.
        UsageError: An impossible option.
    """
    out, design = Path(out), design or SweepDesign()
    listener = progress or NoProgress()
    table = read_table(stores, exclude_classes=design.exclude_classes)
    plan = _plan(table, design)
    shares = [share_of(table, index, plan, design, tests) for index in range(len(table.stores))]
    with output_lock(out / "plan.json"):
        store = RunStore(out)
        _same_experiment(store, plan, shares[0])
        _save_plan(store, plan, design)
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


def _same_experiment(store: RunStore, plan: Plan, share: Share) -> None:
    """Refuse to mix Runs of two Plans or two test sets in one folder."""
    known = store.any_run()
    if known is None:
        return
    path = store.folder / "plan.json"
    difference = named_difference(Plan.load(path), plan) if path.exists() else None
    if difference is None and known.key.plan != plan.fingerprint:
        difference = "its Runs were made on other folds or images"
    if difference is not None:
        raise PlanError(
            f"{store.folder} holds Runs of another Plan",
            cause=difference,
            remedy="Choose another --out, or repeat the options of the first command",
        )
    if known.key.test != share.test_identity:
        raise PlanError(
            f"{store.folder} holds Runs that were tested on other images",
            cause=f"on {known.test.name}",
            remedy="Choose another --out for another --test",
        )


def _save_plan(store: RunStore, plan: Plan, design: SweepDesign) -> None:
    """Write the Plan with the training orders of these Runs and of those that are there."""
    folds, draws = store.folds_and_draws()
    cells = list(design.cells())
    folds = max([folds, *(cell.fold + 1 for cell in cells)])
    draws = max([draws, *(cell.draw + 1 for cell in cells)])
    plan.save(store.folder / "plan.json", folds=folds, draws=draws)


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
        with joblib.parallel_config(
            "loky",
            n_jobs=workers,
            inner_max_num_threads=threads,
            initializer=_leave_interrupts_to_the_parent,
            idle_worker_timeout=_IDLE_S,
        ):
            parallel = joblib.Parallel(return_as="generator_unordered")
            work = (joblib.delayed(run_task)(task, arrays, out, threads=threads) for task in tasks)
            try:
                yield from parallel(work)
            except TerminatedWorkerError as error:
                raise StoreError(
                    f"a fit on {share.name} was killed",
                    cause="most likely the system ran out of memory",
                    remedy=f"Give fewer --jobs (now {workers}); finished Runs are kept",
                ) from error


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
