"""McNemar's test between the classifiers of a pair of rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from featkit.comparison._resampling import Runs
from featkit.comparison._sides import Pair
from featkit.comparison.contrasts import LesionTest
from featkit.evaluate import holm, mcnemar

__all__ = ["lesion_tests"]


def lesion_tests(pairs: Sequence[Pair]) -> tuple[LesionTest, ...]:
    """Test each pair of rows that share a Run, with Holm's correction over all.

    McNemar's test is of two trained classifiers and knows nothing of other draws. So the first
    draw that both rows have is tested, on each distinct test set, whose lesions count once.
    """
    found = [_tested(pair) for pair in pairs if pair.tuned]
    p_holm = holm(np.array([test.p for test in found]))
    return tuple(replace(test, p_holm=float(p)) for test, p in zip(found, p_holm, strict=True))


def _tested(pair: Pair) -> LesionTest:
    keys = _first_of_each_test_set(pair.light)
    test = [pair.light[key].test for key in keys]
    found = mcnemar(
        np.concatenate([each.label for each in test]),
        np.concatenate([pair.tuned[key].probabilities for key in keys]),
        np.concatenate([pair.light[key].probabilities for key in keys]),
        np.concatenate([each.group for each in test]),
    )
    return LesionTest(
        backbone=pair.backbone,
        budget=pair.budget,
        finetuned=pair.finetuned,
        frozen=pair.frozen,
        lesions=found.lesions,
        only_finetuned=found.only_a,
        only_frozen=found.only_b,
        p=found.p,
        p_holm=found.p,
    )


def _first_of_each_test_set(runs: Runs) -> list[tuple[int, int]]:
    first: dict[str, tuple[int, int]] = {}
    for key in sorted(runs):
        first.setdefault(runs[key].test.fingerprint, key)
    return list(first.values())
