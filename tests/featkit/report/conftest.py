from dataclasses import replace

import pytest

from featkit.comparison import (
    CellResult,
    ClassResult,
    Comparison,
    Contrast,
    Crossing,
    DifferenceResult,
    Estimate,
    FrozenAgainstFinetuned,
)
from featkit.evaluate import METRICS


@pytest.fixture
def comparison() -> Comparison:
    """Two heads on two backbones at two budgets; one cell was not trained."""
    methods = ("alpha / linear", "alpha / mlp", "beta / linear")
    cells, by_class = [], []
    for place, method in enumerate(methods):
        for budget in (10.0, 100.0):
            if (method, budget) == ("beta / linear", 10.0):
                continue
            value = 0.4 + 0.1 * place + 0.002 * budget - 0.1
            scores = {name: Estimate(value, value - 0.05, value + 0.05) for name in METRICS}
            cells.append(
                CellResult(
                    method=method,
                    budget=budget,
                    runs=3,
                    complete=True,
                    train_lesions=2 * budget,
                    train_images=3 * budget,
                    scores=scores,
                    wall_s=1.5,
                    device_s=1.0,
                    features_s=30.0,
                    parameters_trained=9,
                    images_seen=3 * budget,
                    peak_memory_mb=512.0,
                    alone_s=31.0,
                    shared_s=2.5,
                    devices=("cpu",),
                    frozen=True,
                )
            )
            for name in ("mel", "nv"):
                estimate = Estimate(value, value - 0.1, value + 0.1)
                by_class.append(ClassResult(method, budget, name, 40, estimate, estimate))
    gap = DifferenceResult(
        "alpha / mlp", "beta / linear", 100.0, Estimate(-0.1, -0.15, -0.05), 0.01, 0.02
    )
    return Comparison(
        metric="balanced_accuracy",
        split="grouped",
        test="held-out fold",
        test_images=80,
        test_lesions=50,
        classes=("mel", "nv"),
        focus="mel",
        methods=methods,
        budgets=(10.0, 100.0),
        resamples=100,
        resamples_differences=200,
        seed=0,
        plan="0123456789abcdef",
        cells=tuple(cells),
        by_class=tuple(by_class),
        differences=(gap,),
    )


@pytest.fixture
def against():
    """Fine-tuning that is clearly better at 100%, and another row that may be."""
    clear = Contrast(
        backbone="alpha",
        budget=100.0,
        train_lesions=200.0,
        finetuned="alpha / finetune-full",
        frozen="alpha / linear",
        runs=3,
        difference=Estimate(0.08, 0.05, 0.11),
        p=0.001,
        p_holm=0.003,
        gain=0.08,
    )
    unclear = replace(clear, finetuned="alpha / finetune-last", p_holm=0.2)
    places = Estimate(12.0, 0.0, float("inf"))
    crossing = Crossing("alpha", clear.finetuned, clear.frozen, places, places, 10.0, 100.0)
    return FrozenAgainstFinetuned((clear,), (), (unclear,), (crossing,), ())
