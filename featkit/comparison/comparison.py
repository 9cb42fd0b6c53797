"""Comparison: what the Runs say, as numbers with intervals; ready for JSON, tables and plots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from featkit.evaluate import find_metric
from featkit.files import jsonable

__all__ = ["CellResult", "ClassResult", "Comparison", "DifferenceResult", "Estimate"]


@dataclass(frozen=True)
class Estimate:
    """A number with its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


@dataclass(frozen=True)
class CellResult:
    """One method at one budget.

    Attributes:
        method: Row of the table.
        budget: Percent of the training lesions.
        runs: Number of Runs averaged (folds × draws).
        complete: False where another method has Runs at this budget that this one lacks.
        train_lesions: Mean number of training lesions.
        train_images: Mean number of their images.
        scores: Estimate by metric.
        wall_s: Mean seconds a Run.
        features_s: Mean seconds that a frozen backbone took for the training images, once for all.
        device_s: Mean device seconds a Run.
        parameters_trained: Of the last Run.
        images_seen: Mean number of images passed through the backbone, repetitions included.
        peak_memory_mb: Highest resident memory of any Run's process, in MiB.
        alone_s: Mean device seconds of a Run by itself, all its features included.
        shared_s: Mean device seconds of a Run that shares features with the grid's other Runs.
        devices: Devices that the Runs were trained on; seconds of different ones do not compare.
        frozen: Whether the backbone stayed as it was.
    """

    method: str
    budget: float
    runs: int
    complete: bool
    train_lesions: float
    train_images: float
    scores: Mapping[str, Estimate]
    wall_s: float
    device_s: float
    features_s: float
    parameters_trained: int
    images_seen: float
    peak_memory_mb: float
    alone_s: float
    shared_s: float
    devices: tuple[str, ...]
    frozen: bool


@dataclass(frozen=True)
class ClassResult:
    """Recall and precision of one class, for one method at one budget."""

    method: str
    budget: float
    class_name: str
    support: int
    recall: Estimate
    precision: Estimate


@dataclass(frozen=True)
class DifferenceResult:
    """A paired difference in the chosen metric: method minus reference, same lesions, same draws.

    Attributes:
        method: The method.
        reference: What it is compared with.
        budget: Percent of the training lesions.
        difference: With its 95% interval.
        p: Two-sided bootstrap p-value.
        p_holm: After Holm's correction over all differences of the comparison.
    """

    method: str
    reference: str
    budget: float
    difference: Estimate
    p: float
    p_holm: float


@dataclass(frozen=True)
class Comparison:
    """All that `compare` found.

    Attributes:
        metric: The metric of the main table and the differences.
        split: `grouped`, `official` or `random`.
        test: Name of the test set.
        test_images: Number of distinct test images over all folds.
        test_lesions: Number of their distinct groups.
        classes: The classes' names.
        focus: Class whose sensitivity at 95% specificity is among the scores, or "".
        methods: Rows of the main table.
        budgets: Its columns.
        resamples: Bootstrap resamples of the intervals.
        resamples_differences: Bootstrap resamples of the paired differences.
        seed: Of the bootstrap.
        plan: Fingerprint of the Plan.
        cells: One for each method and budget that was trained.
        by_class: One for each cell and class.
        differences: Against the reference method.
    """

    metric: str
    split: str
    test: str
    test_images: int
    test_lesions: int
    classes: tuple[str, ...]
    focus: str
    methods: tuple[str, ...]
    budgets: tuple[float, ...]
    resamples: int
    resamples_differences: int
    seed: int
    plan: str
    cells: tuple[CellResult, ...]
    by_class: tuple[ClassResult, ...]
    differences: tuple[DifferenceResult, ...]

    @property
    def untested(self) -> tuple[str, ...]:
        """Classes without a test image, which no mean over classes can count."""
        tested = {found.class_name for found in self.by_class if found.support}
        return tuple(name for name in self.classes if name not in tested)

    def cell(self, method: str, budget: float) -> CellResult | None:
        """Return the result of one method at one budget, or None where it was not trained."""
        for cell in self.cells:
            if (cell.method, cell.budget) == (method, budget):
                return cell
        return None

    def best(self, budget: float | None = None) -> CellResult:
        """Return the cell with the highest score at a budget (the largest one by default)."""
        return self.ranked(budget)[0]

    def ranked(self, budget: float | None = None) -> list[CellResult]:
        """Return the cells at a budget (the largest one by default), the best first.

        Cells that are not complete come last: their score is of other folds or draws.
        """
        at = self.budgets[-1] if budget is None else budget
        sign = -1 if find_metric(self.metric).higher_is_better else 1
        cells = [cell for cell in self.cells if cell.budget == at]
        return sorted(
            cells, key=lambda cell: (not cell.complete, sign * cell.scores[self.metric].value)
        )

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON-like values; None where a number is not defined."""
        return {name: jsonable(value) for name, value in asdict(self).items()}
