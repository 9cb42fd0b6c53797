"""Ahead: the next batches are made while a GPU works on the one before."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import torch
from torch import Tensor

__all__ = ["ahead"]

_DEPTH = 2
"""Batches that are made ahead."""


def ahead(batches: Iterator[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Yield batches on a device, made ahead where that is a GPU.

    There a thread makes them on a stream of its own, so that neither copies nor augmentation wait
    for the network's work or hold it up. On a CPU both would share the cores: a batch is made when
    it is asked for.
    """
    return _made_ahead(batches, device) if device.type == "cuda" else batches


def _made_ahead(batches: Iterator[Tensor], device: torch.device) -> Iterator[Tensor]:
    side = torch.cuda.Stream(device)

    def make() -> tuple[Tensor | None, torch.cuda.Event]:
        with torch.cuda.stream(side):
            return next(batches, None), side.record_event()

    pool = ThreadPoolExecutor(1, thread_name_prefix="featkit-batches")
    try:
        waiting = deque(pool.submit(make) for _ in range(_DEPTH))
        while waiting:
            batch, made = waiting.popleft().result()
            if batch is None:
                return
            waiting.append(pool.submit(make))
            current = torch.cuda.current_stream(device)
            current.wait_event(made)
            batch.record_stream(current)  # or its memory would be given away while it is read
            yield batch
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
