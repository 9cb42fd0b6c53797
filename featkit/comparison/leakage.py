"""Leakage: what the leak of a random split is worth, as numbers with intervals."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from featkit.comparison.comparison import Estimate
from featkit.files import jsonable

__all__ = ["Leakage", "LeakageOfClass", "LeakageScore", "LeakyTraining"]


@dataclass(frozen=True)
class LeakyTraining:
    """The training sets at one budget.

    Attributes:
        budget: Percent of the clean training images.
        images: Mean number of images, the same without and with the leak.
        siblings: How many of the leaky ones are of a lesion that is tested, on average.
    """

    budget: float
    images: float
    siblings: float


@dataclass(frozen=True)
class LeakageScore:
    """One method at one budget by one metric.

    Attributes:
        method: `BACKBONE / HEAD`.
        budget: Percent of the clean training images.
        metric: `balanced_accuracy` or `accuracy`.
        runs: Number of pairs of Runs (folds × draws).
        clean: Trained without images of tested lesions.
        leaky: Trained with them, on as many images of each class.
        difference: Leaky minus clean, paired on test lesions and draws.
        with_siblings: The same on test images whose lesion has further images to train on, where
            the leak must show; None where there are none.
        without_siblings: The same on the others, where it cannot.
        naive: Random split minus grouped split, as often reported. Confounded: the two are tested
            on other images. None where the grouped Runs lack the method or the budget.
    """

    method: str
    budget: float
    metric: str
    runs: int
    clean: Estimate
    leaky: Estimate
    difference: Estimate
    with_siblings: Estimate | None
    without_siblings: Estimate | None
    naive: Estimate | None


@dataclass(frozen=True)
class LeakageOfClass:
    """Recall of one class, for one method at one budget; `difference` is leaky minus clean."""

    method: str
    budget: float
    class_name: str
    support: int
    clean: Estimate
    leaky: Estimate
    difference: Estimate


@dataclass(frozen=True)
class Leakage:
    """All that `measure_leakage` found.

    Attributes:
        test_images: Number of distinct test images over all folds.
        test_lesions: Number of their lesions.
        test_images_with_siblings: How many have further images of their lesion to train on.
        resamples: Bootstrap resamples of the intervals.
        seed: Of the bootstrap.
        plan: Fingerprint of the clean training sets' Plan.
        training: The training sets of each budget.
        scores: One for each method, budget and metric.
        by_class: One for each method, budget and class.
    """

    test_images: int
    test_lesions: int
    test_images_with_siblings: int
    resamples: int
    seed: int
    plan: str
    training: tuple[LeakyTraining, ...]
    scores: tuple[LeakageScore, ...]
    by_class: tuple[LeakageOfClass, ...]

    def best(self) -> str:
        """Return the method of the highest clean balanced accuracy at the largest budget."""
        largest = self.training[-1].budget
        scores = [
            score
            for score in self.scores
            if (score.budget, score.metric) == (largest, "balanced_accuracy")
        ]
        return max(scores, key=lambda score: score.clean.value).method

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON-like values; None where a number is not defined."""
        return {name: jsonable(value) for name, value in asdict(self).items()}
