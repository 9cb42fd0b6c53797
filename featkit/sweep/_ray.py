"""Fits on the workers of a Ray cluster, through joblib."""

from __future__ import annotations

import importlib
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import joblib

from featkit.errors import StoreError
from featkit.experiment import Score
from featkit.hardware.cluster import Node, connected, kind_of, nodes
from featkit.hardware.sharing import SharedFolder, shared
from featkit.sweep._running import run_tasks
from featkit.sweep._shares import Share
from featkit.sweep._task import Task

__all__ = ["ray_scores"]

_LIVES = {"max_restarts": -1, "max_task_retries": 30}
"""Ray begins a lost process again, and its fit with it: for about a minute, as it counts a try
for every two seconds in which the process is being restarted."""

_PATIENCE_S = 30.0
"""So long is a thread of Ray's pool waited for."""


def ray_scores(
    shares: Sequence[Share],
    todo: Sequence[Sequence[Sequence[Task]]],
    out: Path,
    *,
    jobs: int | None,
    device: str,
) -> Generator[list[Score]]:
    """Train on a cluster (see `connected`), one store after the other.

    A store's features are sent to each machine once, and shared there by all fits.

    Args:
        shares: The stores.
        todo: Bundles of tasks of each.
        out: Output folder, which all machines must see.
        jobs: Fits at a time; None = one for each core, or each GPU where heads are trained there.
        device: `cpu`, `cuda` or `auto`.

    Raises:
        UsageError: Ray is not installed, the cluster cannot be reached or has no such device.
        StoreError: A machine does not see the folder, or fits were killed again and again.
    """
    with connected(), _threads_awaited(), shared(out) as folder:
        ray = importlib.import_module("ray")
        kind = kind_of(device, nodes())
        gpus = 1 if kind.type == "cuda" else 0
        for share, work in zip(shares, todo, strict=True):
            if not work:
                continue
            workers, threads = _sizes(nodes(), jobs, len(work), gpus=gpus)
            arrays = ray.put(share.arrays())
            options = {"num_cpus": threads, "num_gpus": gpus, **_LIVES}
            with joblib.parallel_config(_streaming(options), n_jobs=workers):
                calls = (
                    joblib.delayed(_run)(tasks, [arrays], folder, threads, kind.type)
                    for tasks in work
                )
                try:
                    yield from joblib.Parallel(return_as="generator_unordered")(calls)
                except ray.exceptions.RayActorError as error:
                    raise StoreError(
                        f"a fit on {share.name} was killed again and again",
                        cause="most likely a machine ran out of memory",
                        remedy=f"Give fewer --jobs (now {workers}); finished Runs are kept",
                    ) from error


@contextmanager
def _threads_awaited() -> Iterator[None]:
    """Wait at the end for the threads of Ray's pool.

    One that asks for results when the connection is gone takes the whole process with it.
    """
    kind = importlib.import_module("ray.util.multiprocessing.pool").ResultThread
    try:
        yield
    finally:
        for thread in threading.enumerate():
            if isinstance(thread, kind):
                thread.join(_PATIENCE_S)


def _run(
    tasks: Sequence[Task], arrays: Sequence[Any], folder: SharedFolder, threads: int, device: str
) -> list[Score]:
    """Fit one bundle on a worker; the list keeps the reference from being pickled by value."""
    folder.check()
    features = importlib.import_module("ray").get(arrays[0])
    return run_tasks(tasks, features, folder.path, threads=threads, device=device)


def _sizes(there: Sequence[Node], jobs: int | None, fits: int, *, gpus: int) -> tuple[int, int]:
    """Return how many fits there are at a time, and the threads of each."""
    most = sum(node.gpus if gpus else node.cores for node in there)
    asked = min(jobs or most, most) if gpus else jobs or most
    workers = min(asked, fits)
    fewest = min(node.cores for node in there if node.cores)
    return workers, 1 if gpus else max(1, min(asked // workers, fewest))


def _streaming(options: Mapping[str, object]) -> Any:
    """Return joblib's Ray backend, which can give results as they come but does not say so."""
    backend = importlib.import_module("ray.util.joblib.ray_backend").RayBackend
    kind = type("StreamingRayBackend", (backend,), {"supports_return_generator": True})
    return kind(ray_remote_args=dict(options))
