import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from featkit.comparison import frozen_against_finetuned
from featkit.comparison.recovery import recoveries


def found_in(evidence):
    return list(recoveries(evidence, frozen_against_finetuned(evidence).declared))


def test_the_share_lies_between_the_declared_rows(make_run, make_evidence):
    runs = {
        method: [make_run(method, draw=draw, skill=skill, frozen=frozen) for draw in (0, 1)]
        for method, skill, frozen in (
            ("linear", 0.5, True),
            ("linear+views", 1.5, True),
            ("finetune-full", 4.0, False),
        )
    }
    evidence = make_evidence(*(run for made in runs.values() for run in made))
    (found,) = found_in(evidence)
    light, views, tuned = (
        np.mean([balanced_accuracy_score(r.test.label, r.probabilities.argmax(1)) for r in made])
        for made in runs.values()
    )
    assert found.method == "net / linear+views"
    assert found.share.value == pytest.approx((views - light) / (tuned - light))
    assert found.share.low < found.share.value < found.share.high
    shares = [
        evidence.contrasted.samples(evidence.grid.runs(f"net / {name}", 100.0)) for name in runs
    ]
    by_hand = np.quantile((shares[1] - shares[0]) / (shares[2] - shares[0]), [0.025, 0.975])
    assert (found.share.low, found.share.high) == pytest.approx(tuple(by_hand))


def test_no_share_of_a_gain_that_may_be_none(make_run, make_evidence):
    runs = [make_run(), make_run("mlp"), make_run("finetune-full", frozen=False)]
    assert found_in(make_evidence(*runs)) == []
