"""Cores that this process may use, and the threads that libraries start on them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from featkit.doctor.finding import Finding
from featkit.hardware.limits import cpu_quota

__all__ = ["cores", "threads"]

_LIMIT = "FEATKIT_CORES"
"""The variable that `featkit.hardware.devices` minds."""

_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")


def _allowed() -> int:
    """Return how many cores the system lets this process run on."""
    affinity = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1


def _worth() -> float:
    """Return how many cores' time there is, by affinity, quota and FEATKIT_CORES."""
    limit = os.environ.get(_LIMIT, "")
    limits = [float(_allowed()), cpu_quota(), float(limit) if limit.isdecimal() else None]
    return min(each for each in limits if each)


def cores(out: Path) -> Iterator[Finding]:
    """Look at affinity, at the container's quota, and at FEATKIT_CORES."""
    allowed, quota, limit = _allowed(), cpu_quota(), os.environ.get(_LIMIT)
    there = os.cpu_count() or 1
    value = f"{allowed} of the machine's {there}"
    if limit is not None and not (limit.isdecimal() and int(limit) > 0):
        remedy = f"Set {_LIMIT} to a whole number, or unset it"
        yield Finding("cores", f"{value}; {_LIMIT}={limit} is no number of cores", "bad", remedy)
        return
    if limit is not None:
        value += f", {_LIMIT}={limit}"
    taken = min(allowed, int(limit)) if limit else allowed
    if quota is not None:
        value += f", time for {quota:g} by the container's quota"
    if quota is not None and taken > max(1, round(quota + 0.49)):
        fair = max(1, round(quota))
        remedy = f"Set {_LIMIT}={fair} and OMP_NUM_THREADS={fair}: more threads wait for each other"
        yield Finding("cores", value, "warn", remedy)
        return
    yield Finding("cores", value)


def threads(out: Path) -> Iterator[Finding]:
    """Compare the threads that libraries would start with the cores that there are."""
    fair = max(1, int(_worth()))
    said = {name: os.environ[name] for name in _VARIABLES if os.environ.get(name)}
    for name, text in said.items():
        yield from _variable(name, text, fair)
    import torch
    from threadpoolctl import threadpool_info

    counts = {"torch": torch.get_num_threads()}
    for pool in threadpool_info():
        counts[pool["internal_api"]] = int(pool["num_threads"])
    value = ", ".join(f"{name} {count}" for name, count in counts.items())
    if max(counts.values()) > fair:
        remedy = f"Set OMP_NUM_THREADS={fair}: there are no more cores than that"
        yield Finding("threads", value, "warn", remedy)
    else:
        yield Finding("threads", value)


def _variable(name: str, text: str, fair: int) -> Iterator[Finding]:
    first = text.partition(",")[0].strip()  # OpenMP takes a list, by level of nesting
    if not first.isdecimal() or int(first) < 1:
        yield Finding(name, f"{text} is no number of threads", "warn", f"Set {name}={fair}")
    elif int(first) > fair:
        value = f"{text} threads on {fair} cores wait for each other"
        yield Finding(name, value, "warn", f"Set {name}={fair}, or unset it")
    elif int(first) < fair:
        value = f"{text}, so that networks on the CPU and heads use so many of {fair} cores"
        yield Finding(name, value, "warn", f"Set {name}={fair}, or unset it")
