from dataclasses import replace

import pytest

from featkit.comparison import frozen_against_finetuned
from featkit.comparison.headline import headline

BUDGETS = (1.0, 10.0, 100.0)


def said(evidence):
    return headline(evidence, frozen_against_finetuned(evidence))


@pytest.fixture
def curves(make_run):
    """Return a maker of both sides' Runs, with a skill of fine-tuning for each budget."""

    def make(skills, **options):
        return [
            run
            for budget, skill in zip(BUDGETS, skills, strict=True)
            for run in (
                make_run(budget=budget, skill=2.0, lesions=150, device_s=2.0, features_s=3.0),
                make_run(
                    "finetune-full",
                    budget=budget,
                    skill=skill,
                    lesions=150,
                    frozen=False,
                    device_s=60.0,
                    **options,
                ),
            )
        ]

    return make


def test_who_is_better_where_and_for_what(curves, make_evidence):
    found = said(make_evidence(*curves((0.0, 2.05, 6.0))))
    assert found.question.startswith("When do frozen features")
    assert found.answer == (
        "On net, full fine-tuning is clearly better than a linear head on frozen features from "
        "100% of the labels (300 training lesions) on, clearly worse at 1%, with no clear "
        "difference at 10%."
    )
    (details,) = found.details
    verdict, *_ = details.split(". ")
    assert verdict == (
        "On net, full fine-tuning is clearly better than a linear head on frozen features at 100% "
        "of the labels (300 training lesions); the frozen features are clearly better at 1% of "
        "the labels (3 training lesions); no clear difference was found at 10% of the labels (30 "
        "training lesions)"
    )
    assert "The curves cross at" in details
    assert details.endswith(
        "for 12 times the device time (60 s against 5.0 s a Run, features included)."
    )
    assert "Holm's correction over 3 contrasts" in found.caveats[0]
    assert "single draw" in found.caveats[1]


def test_no_clear_difference_is_not_called_equality(curves, make_evidence):
    found = said(make_evidence(*curves((2.0, 2.0, 2.0))))
    assert found.answer == (
        "On net, no clear difference between full fine-tuning and a linear head on frozen "
        "features was found at any label budget tried."
    )
    assert found.details[0].startswith(
        "On net, no clear difference between full fine-tuning and a linear head on frozen "
        "features was found at 1%, 10% and 100% of the labels (3 to 300 training lesions)."
    )
    assert "better" not in found.answer + found.details[0]
    assert "no clear difference does not mean none" in found.caveats[0]


def test_frozen_features_may_win_everywhere(curves, make_evidence):
    found = said(make_evidence(*curves((0.0, 0.0, 0.0))))
    assert found.answer == (
        "On net, a linear head on frozen features is clearly better than full fine-tuning at "
        "every label budget tried."
    )
    assert "cross" not in found.details[0]


def test_fine_tuning_may_win_everywhere(curves, make_evidence):
    found = said(make_evidence(*curves((6.0, 6.0, 6.0))))
    assert found.answer == (
        "On net, full fine-tuning is clearly better than a linear head on frozen features at "
        "every label budget tried."
    )


def test_frozen_features_may_win_below_a_budget(curves, make_evidence):
    found = said(make_evidence(*curves((0.0, 0.0, 6.0))))
    assert found.answer.endswith("(300 training lesions) on, and clearly worse below.")


def test_a_lead_that_does_not_last_is_told_budget_by_budget(curves, make_evidence):
    found = said(make_evidence(*curves((6.0, 6.0, 0.0))))
    assert found.answer.startswith("On net, full fine-tuning is clearly better")
    assert "the frozen features are clearly better at 100%" in found.answer


def test_a_high_price_is_no_power_of_ten(curves, make_evidence):
    runs = [
        run if run.frozen else replace(run, cost=replace(run.cost, device_s=6000.0))
        for run in curves((0.0, 2.0, 6.0))
    ]
    (details,) = said(make_evidence(*runs)).details
    assert "for 1,200 times the device time (6,000 s against 5.0 s a Run" in details


def test_seconds_of_different_devices_have_no_ratio(curves, make_evidence):
    runs = [
        run if run.frozen else replace(run, cost=replace(run.cost, device="cuda"))
        for run in curves((0.0, 2.0, 6.0))
    ]
    (answer,) = said(make_evidence(*runs)).details
    assert "60 s on cuda against 5.0 s on cpu a Run" in answer
    assert "times the device time" not in answer


@pytest.mark.parametrize(
    ("frozen", "words"),
    [(True, "nothing can be said of fine-tuning"), (False, "nothing can be said of frozen")],
)
def test_one_side_alone_gives_no_answer(make_run, make_evidence, frozen, words):
    found = said(make_evidence(make_run(frozen=frozen)))
    assert words in found.answer
    assert "picked by the same data" in found.caveats[0]


def test_sides_on_different_backbones_give_no_answer(make_run, make_evidence):
    runs = [make_run(), make_run("finetune-full", backbone="other", frozen=False)]
    assert "No backbone has both" in said(make_evidence(*runs)).answer


def test_a_random_split_is_said_first(make_run, make_evidence):
    found = said(make_evidence(make_run(split="random")))
    assert "The split is random" in found.caveats[0]


@pytest.mark.parametrize(
    ("skill", "words"),
    [(6.0, "is clear at 100% (fine-tuned) (at 100% +"), (2.0, "is clear at no budget (at 100% ")],
)
def test_the_best_of_each_side_is_told_too(make_run, make_evidence, skill, words):
    """As chosen by held-out predictions: the declared pair need not be the best."""
    runs = [
        make_run(method, lesions=150, skill=mine, frozen=frozen, held_out=60)
        for method, mine, frozen in (
            ("linear", 0.5, True), ("mlp", 2.0, True), ("finetune-full", skill, False),
        )
    ]  # fmt: skip
    (details,) = said(make_evidence(*runs)).details
    assert "its own held-out predictions prefer, the difference " + words in details
    assert details.count("Where each side takes") == 1


def test_a_class_without_test_images_is_said(make_run, make_evidence):
    run = make_run()
    kept = run.test.label != 1
    test = replace(
        run.test,
        image_id=run.test.image_id[kept],
        group=run.test.group[kept],
        label=run.test.label[kept],
    )
    evidence = make_evidence(replace(run, test=test, probabilities=run.probabilities[kept]))
    name = run.classes[1]
    assert evidence.comparison.untested == (name,)
    assert said(evidence).caveats[0].startswith(f"No test image is of {name}, so")


def test_two_backbones_are_told_of_in_the_answer_and_all_below(make_run, make_evidence):
    runs = [
        make_run(method, backbone=name, frozen=frozen)
        for name in ("a", "bb", "ccc")
        for method, frozen in (("linear", True), ("finetune-full", False))
    ]
    found = said(make_evidence(*runs))
    assert [f"On {name}," in found.answer for name in ("a", "bb", "ccc")] == [True, True, False]
    assert found.answer.endswith("; for 1 more backbone see below.")
    assert [f"On {name}," in found.details[2] for name in ("a", "bb", "ccc")] == [
        False,
        False,
        True,
    ]
