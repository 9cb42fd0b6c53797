"""`featkit compare` on frozen and fine-tuned Runs side by side."""

import json

import numpy as np
import pytest

from featkit.runs import Cost, Run, RunKey, RunStore, TestSet


@pytest.fixture
def folder(tmp_path):
    """A head that hardly gains from labels, and fine-tuning that does."""
    world = np.random.default_rng(0)
    label = world.integers(0, 3, 240).astype(np.int16)
    names = [f"I{row}" for row in range(240)]
    lesions = [f"L{row // 2}" for row in range(240)]
    test = TestSet("held-out fold", np.array(names), np.array(lesions), label)
    for method, rise in (("linear", 0.1), ("finetune-full", 0.8)):
        for budget in (5.0, 20.0, 50.0, 100.0):
            skill = 1.0 + rise * np.log(budget / 20)
            odds = np.exp(world.normal(size=(240, 3)) + skill * np.eye(3)[label])
            run = Run(
                key=RunKey(method, "net", 0, budget, 0, {}, method, "plan"),
                classes=("bkl", "mel", "nv"),
                test=test,
                probabilities=(odds / odds.sum(axis=1, keepdims=True)).astype(np.float32),
                train_lesions=int(10 * budget),
                train_images=int(15 * budget),
                cost=Cost(budget, budget, int(15 * budget), 99, 512.0),
                frozen=method == "linear",
            )
            RunStore(tmp_path / "runs").save(run)
    return tmp_path / "runs"


def test_both_sides_stand_in_one_table_and_are_contrasted(featkit, folder):
    done = featkit("compare", folder, "--resamples", 200)
    assert done.code == 0
    assert done.out.index("net / linear") < done.out.index("net / finetune-full")
    assert "Fine-tuned minus frozen" in done.out
    assert "net: the curves cross at" in done.out
    assert "Cost of a Run at 100%" in done.out
    assert (folder / "comparison" / "contrasts.json").exists()


def test_a_target_is_answered_for_every_row(featkit, folder):
    done = featkit("compare", folder, "--resamples", 200, "--target", 0.85)
    assert done.code == 0
    assert "Training lesions for balanced accuracy 0.85" in done.out
    assert "cannot say" in done.out


def test_json_has_contrasts_and_targets(featkit, folder):
    done = featkit("compare", folder, "--resamples", 200, "--target", 0.85, "--json")
    answer = json.loads(done.out)
    assert len(answer["frozen_against_finetuned"]["declared"]) == 4
    assert set(answer["lesions_needed"]) == {"net / linear", "net / finetune-full"}


@pytest.mark.parametrize("options", [("--target", 1.5), ("--target", 0.1, "--metric", "ece")])
def test_an_impossible_target_is_refused_before_any_work(featkit, folder, options):
    done = featkit("compare", folder, *options)
    assert done.code == 2
    assert "--target" in done.err
    assert not (folder / "comparison").exists()
