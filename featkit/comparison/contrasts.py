"""What frozen features and fine-tuning are found to differ in, as numbers with intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from featkit.comparison._rounding import two_digits
from featkit.comparison.comparison import Estimate

__all__ = ["Contrast", "Crossing", "FrozenAgainstFinetuned", "LesionTest"]

_LEVEL = 0.05


@dataclass(frozen=True)
class Contrast:
    """A fine-tuned row's score minus a frozen row's, on the same lesions and draws.

    Attributes:
        backbone: That both rows share.
        budget: Percent of the training lesions.
        train_lesions: Mean number of training lesions.
        finetuned: Row.
        frozen: Row.
        runs: Number of Runs that both rows have.
        difference: Fine-tuned minus frozen, with its 95% interval.
        p: Two-sided bootstrap p-value.
        p_holm: After Holm's correction over the family that the contrast stands in.
        gain: The difference with the sign that makes more better, whatever the metric.
    """

    backbone: str
    budget: float
    train_lesions: float
    finetuned: str
    frozen: str
    runs: int
    difference: Estimate
    p: float
    p_holm: float
    gain: float

    @property
    def winner(self) -> str:
        """`fine-tuned` or `frozen` where the corrected test tells them apart, otherwise ""."""
        if not self.p_holm < _LEVEL:
            return ""
        return "fine-tuned" if self.gain > 0 else "frozen"


@dataclass(frozen=True)
class Crossing:
    """The label budget from which fine-tuning stays ahead.

    Budgets are in percent of the training lesions, between budgets interpolated on the
    logarithm. 0 stands for below the smallest budget, infinity (null in JSON) for above the
    largest one.

    Attributes:
        backbone: That both rows share.
        finetuned: Row.
        frozen: Row.
        budget: From which fine-tuning is ahead, with its 95% bootstrap interval.
        train_lesions: The same as a number of training lesions.
        smallest: The smallest budget that both rows were trained at.
        largest: The largest.
    """

    backbone: str
    finetuned: str
    frozen: str
    budget: Estimate
    train_lesions: Estimate
    smallest: float
    largest: float

    @property
    def within(self) -> bool:
        """Whether the curves cross within the budgets."""
        return 0 < self.budget.value < math.inf

    @property
    def place(self) -> str:
        """The budget in words: `12%`, `below 1%`, `above 100%`."""
        return self._place(self.budget.value)

    @property
    def interval(self) -> str:
        """Its interval in words: `95% interval: below 1% to 12%`."""
        return f"95% interval: {self._place(self.budget.low)} to {self._place(self.budget.high)}"

    def phrase(self) -> str:
        """Return where the curves cross, in words."""
        if self.within:
            lesions = f"{self.train_lesions.value:,.0f} training lesions"
            return f"the curves cross at {self.place} ({lesions}; {self.interval})"
        if self.budget.value == 0:
            ahead = "fine-tuning is ahead at every budget"
        else:
            ahead = f"fine-tuning is not ahead at {self.largest:g}%"
        if self.budget.low == self.budget.high:
            return f"the curves do not cross within the budgets: {ahead}, in 95% of resamples too"
        return f"the curves do not cross within the budgets: {ahead} (crossing, {self.interval})"

    def _place(self, budget: float) -> str:
        if budget == 0:
            return f"below {self.smallest:g}%"
        return f"above {self.largest:g}%" if math.isinf(budget) else f"{two_digits(budget)}%"


@dataclass(frozen=True)
class LesionTest:
    """McNemar's test over lesions between one fine-tuned and one frozen classifier.

    Attributes:
        backbone: That both rows share.
        budget: Percent of the training lesions.
        finetuned: Row.
        frozen: Row.
        lesions: Lesions that were compared, over all folds.
        only_finetuned: Of these, those that only the fine-tuned classifiers get right.
        only_frozen: Those that only the frozen ones get right.
        p: Two-sided exact p-value of both being right equally often.
        p_holm: After Holm's correction over all of these tests.
    """

    backbone: str
    budget: float
    finetuned: str
    frozen: str
    lesions: int
    only_finetuned: int
    only_frozen: int
    p: float
    p_holm: float


@dataclass(frozen=True)
class FrozenAgainstFinetuned:
    """Three families of contrasts, each with a Holm correction of its own.

    The best of several rows is not compared with the best of several others: the better of two
    equals wins by luck, and an interval of its lead would not know.

    Attributes:
        declared: Of the pair that was named before any result, at every budget and backbone.
        chosen: Of the rows that each side chooses at each Run by its held-out predictions, inside
            the budget: the best of each side as somebody without the test set would pick it.
            Budgets at which Runs have no held-out predictions are left out.
        others: Of every other fine-tuned row with the declared frozen one, and of the declared
            fine-tuned row with every other frozen one.
        crossings: Of the declared pair on each backbone with two budgets or more.
        lesion_tests: Of the declared pair.
    """

    declared: tuple[Contrast, ...]
    chosen: tuple[Contrast, ...]
    others: tuple[Contrast, ...]
    crossings: tuple[Crossing, ...]
    lesion_tests: tuple[LesionTest, ...]
