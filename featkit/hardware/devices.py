"""Devices: which one to use, what it is called, and how much it takes at once."""

from __future__ import annotations

import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from featkit.errors import UsageError

__all__ = [
    "available_cores",
    "default_batch",
    "device_name",
    "keep_to_cores",
    "peak_memory",
    "repeatable",
    "resolve_device",
    "resolve_devices",
    "worked_seconds",
]

_CORES = "FEATKIT_CORES"
"""Variable that limits the cores, where several processes share a machine."""

_BATCH = {"cpu": 32, "cuda": 256, "mps": 64}


def available_cores() -> int:
    """Return the number of cores that this process may use (see `keep_to_cores`).

    Raises:
        UsageError: FEATKIT_CORES is no number of cores.
    """
    affinity = hasattr(os, "sched_getaffinity")
    there = len(os.sched_getaffinity(0)) if affinity else os.cpu_count() or 1
    limit = os.environ.get(_CORES, str(there))
    if not limit.isdecimal() or int(limit) < 1:
        raise UsageError(
            f"{_CORES}={limit}",
            cause="it is no number of cores",
            remedy=f"Set {_CORES} to a whole number, or unset it",
        )
    return min(there, int(limit))


def keep_to_cores(count: int) -> None:
    """Have this process, and those that it starts, take no more than so many cores."""
    os.environ[_CORES] = str(count)
    torch.set_num_threads(available_cores())


def resolve_device(name: str) -> torch.device:
    """Return the device of `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.

    Raises:
        UsageError: The name is unknown, or this computer has no such device.
    """
    usable = _usable()
    if name == "auto":
        return torch.device(usable[0])
    if name not in usable and name != "cuda":
        kinds = {"cpu", "cuda", "mps"}
        known = name in kinds or (name.startswith("cuda:") and name[5:].isdigit())
        cause = "this computer has no such device" if known else "there is no such kind of device"
        raise _unusable(name, cause, usable)
    if name == "cuda" and "cuda:0" not in usable:
        raise _unusable(name, "PyTorch finds no usable NVIDIA GPU", usable)
    return torch.device("cuda:0" if name == "cuda" else name)


def resolve_devices(name: str) -> tuple[torch.device, ...]:
    """Return the device of a name; of `auto` and `cuda` all GPUs of the first one's kind.

    Raises:
        UsageError: As `resolve_device`.
    """
    first = resolve_device(name)
    if first.type != "cuda" or name.startswith("cuda:"):
        return (first,)
    every = [torch.device("cuda", index) for index in range(torch.cuda.device_count())]
    return tuple(each for each in every if device_name(each) == device_name(first))


def _usable() -> list[str]:
    """Return the devices that are there, the fastest first."""
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*(cuda if torch.cuda.is_available() else []), *mps, "cpu"]


def _unusable(name: str, cause: str, usable: list[str]) -> UsageError:
    return UsageError(
        f"--device {name}", cause=cause, remedy=f"Use one of: auto, {', '.join(usable)}"
    )


def device_name(device: torch.device) -> str:
    """Return the device's name for people: `cuda: NVIDIA H200`, `cpu: AMD EPYC, 2 cores`."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    processor = platform.processor() or platform.machine()
    if hasattr(torch.cpu, "get_capabilities"):
        processor = str(torch.cpu.get_capabilities().get("cpu_name", processor))
    return f"{device.type}: {processor}, {available_cores()} cores"


def default_batch(device: torch.device) -> int:
    """Return how many images go through the network at once, where memory allows."""
    return _BATCH[device.type]


def peak_memory(device: torch.device) -> int:
    """Return the most memory used so far in bytes: the GPU's, or on a CPU the process's own."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used if sys.platform == "darwin" else used * 1024


@contextmanager
def repeatable() -> Iterator[None]:
    """Let cuDNN take the algorithms that give the same bits for the same batch, and true fp32."""
    with torch.backends.cudnn.flags(
        enabled=True, benchmark=False, deterministic=True, allow_tf32=False
    ):
        yield


def worked_seconds(device: torch.device) -> float:
    """Return a clock whose differences are what a device worked.

    Of a CPU they are the seconds of all its cores for this process and the processes that it
    has ended; of a GPU the time that passed until it was done.
    """
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    if device.type != "cpu":
        return time.perf_counter()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)
