"""Comparing photographs in pairs: keypoints of all images first, then each pair's evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from threadpoolctl import threadpool_limits

from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError
from featkit.duplicates._agreement import agreement
from featkit.duplicates._alignment import Alignment, align
from featkit.duplicates._keypoints import Keypoints, find_keypoints
from featkit.duplicates._picture import Picture, picture_of
from featkit.duplicates.evidence import NOTHING, Evidence
from featkit.errors import DataError
from featkit.progress import Progress

__all__ = ["compare_rows"]

_WORTH_A_LOOK = 6
"""Agreeing keypoints below which photographs are not laid over each other: any two have some."""

_WINDOW = 512
"""Tasks handed to the threads at a time: their futures are all that grows."""

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def compare_rows(
    dataset: Dataset, pairs: Sequence[tuple[int, int]], *, workers: int | None, progress: Progress
) -> list[Evidence]:
    """Return the evidence for each pair of rows, in their order.

    Args:
        dataset: The images.
        pairs: Two rows each.
        workers: Threads; None for as many as Python thinks fit.
        progress: Who listens.

    Raises:
        DataError: An image can no longer be read.
    """
    comparisons = _Comparisons(dataset, {})
    rows = sorted({row for pair in pairs for row in pair})
    # The threads are many already; the matrix products within one shall not start more.
    with threadpool_limits(1, "blas"):
        progress.start("keypoints", total=len(rows), unit="images")
        found = _mapped(comparisons.detect, rows, workers, progress)
        comparisons.keypoints.update(zip(rows, found, strict=True))
        progress.start("comparisons", total=len(pairs), unit="pairs")
        return list(_mapped(comparisons.compare, pairs, workers, progress))


@dataclass(frozen=True, eq=False)
class _Comparisons:
    """What the threads share.

    Attributes:
        dataset: The images.
        keypoints: By row. Pictures are not kept, they would take four times as much.
    """

    dataset: Dataset
    keypoints: dict[int, Keypoints]

    def detect(self, row: int) -> Keypoints:
        return find_keypoints(self._picture(row))

    def compare(self, rows: tuple[int, int]) -> Evidence:
        """Return the evidence of the second image as it stands or mirrored, the stronger one."""
        first, second = (self.keypoints[row] for row in rows)
        ways = ((align(first, second), False), (align(first, second.mirrored), True))
        promising = [
            (found, mirrored)
            for found, mirrored in ways
            if found is not None and found.inliers >= _WORTH_A_LOOK
        ]
        if not promising:
            return NOTHING
        pictures = self._picture(rows[0]), self._picture(rows[1])
        evidence = [_evidence(*pictures, *way) for way in promising]
        return max(evidence, key=lambda one: one.strength)

    def _picture(self, row: int) -> Picture:
        try:
            return picture_of(self.dataset.images.read(row))
        except ImageError as error:
            raise DataError(
                f"image {self.dataset.image_id[row]}",
                cause=f"it could be read a moment ago, and no longer can ({error.reason})",
                remedy="Run the command again when the data set is at rest",
            ) from error


def _evidence(first: Picture, second: Picture, found: Alignment, mirrored: bool) -> Evidence:
    agreed = agreement(first, second.mirrored if mirrored else second, found.matrix)
    return Evidence(
        inliers=found.inliers,
        correlation=agreed.correlation,
        overlap=agreed.overlap,
        spread=found.spread,
        scale=found.scale,
        rotation=found.rotation,
        mirrored=mirrored,
    )


def _mapped(
    function: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    workers: int | None,
    progress: Progress,
) -> Iterator[_Result]:
    """Yield the results in order, reporting each to a task of `progress` that was started."""
    pool = ThreadPoolExecutor(workers, thread_name_prefix="featkit-duplicates")
    try:
        for start in range(0, len(tasks), _WINDOW):
            for result in pool.map(function, tasks[start : start + _WINDOW]):
                progress.advance(1)
                yield result
    finally:
        pool.shutdown(cancel_futures=True)
        progress.finish()
