"""Fits in processes of this machine, through joblib."""

from __future__ import annotations

import signal
from collections.abc import Generator, Sequence
from pathlib import Path

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from featkit.errors import StoreError
from featkit.experiment import Score
from featkit.sweep._running import run_tasks
from featkit.sweep._shares import Share
from featkit.sweep._task import Task

__all__ = ["local_scores"]

_IDLE_S = 30
"""Seconds after which workers end whose parent is gone."""


def local_scores(
    shares: Sequence[Share],
    todo: Sequence[Sequence[Sequence[Task]]],
    out: Path,
    *,
    jobs: int | None,
    device: str,
) -> Generator[list[Score]]:
    """Train, one store after the other, so that only its features are in memory.

    Args:
        shares: The stores.
        todo: Bundles of tasks of each.
        out: Output folder.
        jobs: Fits at a time; None = one for each core.
        device: As `fit` takes it.

    Raises:
        StoreError: A process was killed.
    """
    jobs = jobs or joblib.cpu_count()
    for share, work in zip(shares, todo, strict=True):
        if not work:
            continue
        arrays = share.arrays()
        workers = min(jobs, len(work))
        threads = max(1, jobs // workers)
        with joblib.parallel_config(
            "loky",
            n_jobs=workers,
            inner_max_num_threads=threads,
            initializer=_leave_interrupts_to_the_parent,
            idle_worker_timeout=_IDLE_S,
        ):
            parallel = joblib.Parallel(return_as="generator_unordered")
            calls = (
                joblib.delayed(run_tasks)(tasks, arrays, out, threads=threads, device=device)
                for tasks in work
            )
            try:
                yield from parallel(calls)
            except TerminatedWorkerError as error:
                raise StoreError(
                    f"a fit on {share.name} was killed",
                    cause="most likely the system ran out of memory",
                    remedy=f"Give fewer --jobs (now {workers}); finished Runs are kept",
                ) from error


def _leave_interrupts_to_the_parent() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
