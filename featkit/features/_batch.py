"""A batch: the pixels of some successive rows, and how batches are made ahead of their use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Protocol

from torch import Tensor

__all__ = ["Batch", "Loads", "Pending", "ahead"]


@dataclass(frozen=True, eq=False)
class Batch:
    """The pixels of some successive rows; a row that failed holds zeros.

    Attributes:
        rows: Rows of the data set, n of them.
        pixels: Shape (n, V, H, W, 3), uint8, on the host or on a device.
        image_hash: By which images are known again, "" where one failed, length n.
        reason: Why the row failed, "" where it did not, length n.
    """

    rows: range
    pixels: Tensor
    image_hash: list[str]
    reason: list[str]


class Pending(Protocol):
    """A batch that is being made."""

    def result(self) -> Batch:
        """Wait for it."""


class Loads(Protocol):
    """A loader: makes batches of a data set's images."""

    def batches(self, wanted: Iterable[range]) -> Generator[Batch]:
        """Yield the batches of these rows in order, making no more than a few ahead.

        Close the generator (or exhaust it) to end the threads.
        """


def ahead(
    wanted: Iterable[range],
    begin: Callable[[range], Pending],
    *,
    threads: int,
    devices: int = 1,
) -> Generator[Batch]:
    """Yield batches in order, a few of them begun ahead.

    Args:
        wanted: The rows of each batch.
        begin: Begins with one.
        threads: How many images are worked on at once.
        devices: How many batches are.
    """
    ranges = iter(wanted)
    begun: deque[Pending] = deque()
    for rows in islice(ranges, 1):
        # One batch in the network, and enough behind it to keep every thread busy.
        depth = 1 + max(devices, -(-2 * threads // len(rows)))
        begun.append(begin(rows))
        begun.extend(begin(more) for more in islice(ranges, depth))
    while begun:
        yield begun.popleft().result()
        begun.extend(begin(more) for more in islice(ranges, 1))
