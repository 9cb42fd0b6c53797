"""Trainings that stop half-way: interrupted, killed, diverged."""

import gc
import math
import signal
import subprocess
import sys
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from featkit.errors import TrainingError
from featkit.finetuning import _keeping
from featkit.finetuning._epoch import Loss
from featkit.finetuning._training import Trainer
from featkit.runs import RunStore

CASES = {
    "adamw": ("full", {"ema": 0.5, "warmup": 0.2}),
    "sgd": ("last", {"optimizer": "sgd", "lr": 0.05, "imbalance": "oversample"}),
    "lp-ft": ("lp-ft", {"label_smoothing": 0.1}),
    "mixup": ("full", {"mixup": 0.4, "augmentation": "heavy"}),
}
"""Strategies and recipes."""

EPOCHS = 5


def options(name):
    strategy, recipe = CASES[name]
    return {
        "strategies": (strategy,),
        "recipe": {**recipe, "epochs": EPOCHS, "patience": 0},
    }


def only_run(folder):
    (run,) = RunStore(folder)
    return run


def assert_same(one, other):
    assert one.key.digest == other.key.digest
    np.testing.assert_array_equal(one.probabilities, other.probabilities)
    np.testing.assert_array_equal(one.held_out.probabilities, other.held_out.probabilities)
    np.testing.assert_array_equal(one.held_out.label, other.held_out.label)
    assert one.chosen == other.chosen
    assert one.cost.images_seen == other.cost.images_seen


SCRIPT = """
import os, signal, sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from conftest import Recorder, make_backbone, make_network, tune
from featkit.finetuning import _keeping
from test_training import CASES, EPOCHS, options

_keeping._SAVE_EVERY_S = -1.0

class Killer(Recorder):
    def advance(self, amount, *, note=""):
        super().advance(amount, note=note)
        if self.starts[-1][0] == "finetune" and self.advanced >= 0.5 * self.starts[-1][1]:
            os.kill(os.getpid(), signal.SIGKILL)

for name in CASES:
    child = os.fork()
    if child == 0:
        backbone = make_backbone(make_network(dropout=0.3))
        tune(f"{sys.argv[2]}/{name}", backbone=backbone, progress=Killer(), **options(name))
        os._exit(0)
    print(name, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """Folders of trainings that `kill -9` ended in the third of five epochs."""
    folder = tmp_path_factory.mktemp("killed")
    command = [
        sys.executable,
        "-W",
        "ignore",
        "-c",
        SCRIPT,
        str(Path(__file__).parent),
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.splitlines() == [f"{name} {-signal.SIGKILL}" for name in CASES]
    return folder


@pytest.mark.parametrize("name", CASES)
def test_a_killed_training_continues_to_the_same_bits(tmp_path, fakes, killed, name, monkeypatch):
    (checkpoint,) = (killed / name / "checkpoints").iterdir()
    assert not list((killed / name).glob("runs/*"))
    backbone = fakes.backbone(fakes.network(dropout=0.3))
    seen = []
    monkeypatch.setattr(
        "featkit.finetuning._epoch.Epochs.run", spied(seen, "featkit.finetuning._epoch.Epochs.run")
    )
    fakes.tune(killed / name, backbone=backbone, **options(name))
    assert seen == [2, 3, 4]
    assert not checkpoint.exists()
    fakes.tune(tmp_path, backbone=backbone, **options(name))
    assert seen == [2, 3, 4, 0, 1, 2, 3, 4]
    assert_same(only_run(killed / name), only_run(tmp_path))


def spied(seen, name):
    """Return `Epochs.run`, remembering which epochs it ran."""
    from featkit.finetuning._epoch import Epochs

    real = Epochs.run

    def run(self, number, **rest):
        seen.append(number)
        return real(self, number, **rest)

    return run


def test_an_interrupted_training_keeps_its_last_epoch_and_continues(tmp_path, fakes):
    recipe = {"epochs": 4}
    total = fakes.recorder()
    fakes.tune(tmp_path / "whole", recipe=recipe, progress=total)
    recorder = fakes.recorder(stop_after=0.6 * total.advanced)
    with pytest.raises(KeyboardInterrupt):
        fakes.tune(tmp_path / "out", recipe=recipe, progress=recorder)
    assert len(list((tmp_path / "out" / "checkpoints").iterdir())) == 1
    again = fakes.recorder()
    fakes.tune(tmp_path / "out", recipe=recipe, progress=again)
    assert again.advanced == total.advanced == total.starts[-1][1]
    assert_same(only_run(tmp_path / "out"), only_run(tmp_path / "whole"))
    assert only_run(tmp_path / "out").cost.wall_s > 0


def test_fp16s_scale_of_losses_is_continued_too(tmp_path, fakes, monkeypatch):
    """The scaler of a GPU, on a CPU: a scale that grows and shrinks decides which steps count."""
    from featkit.finetuning import _job
    from featkit.finetuning._team import Team

    make_team = _job.make_team

    def scaling(device, precision):
        accelerator = make_team(device, precision).accelerator
        accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=2.0**126, growth_interval=3)
        return Team(accelerator, "fp16")

    monkeypatch.setattr(_job, "make_team", scaling)
    recipe = {"epochs": 6, "patience": 0}
    fakes.tune(tmp_path / "whole", recipe=recipe)
    recorder = fakes.recorder(stop_after=90)
    with pytest.raises(KeyboardInterrupt):
        fakes.tune(tmp_path / "out", recipe=recipe, progress=recorder)
    fakes.tune(tmp_path / "out", recipe=recipe)
    assert_same(only_run(tmp_path / "out"), only_run(tmp_path / "whole"))


def test_a_learning_rate_that_is_far_too_high(tmp_path, fakes):
    """What went well is kept, and the command goes on with a lower one."""
    out = tmp_path / "out"
    fakes.tune(out, strategies=("head",))
    kept = {path: path.read_bytes() for path in (out / "runs").iterdir()}
    high = {"optimizer": "sgd", "lr": 1e8, "clip": 0.0, "epochs": 30, "schedule": "constant"}
    with pytest.raises(TrainingError) as caught:
        fakes.tune(out, recipe=high)
    message = str(caught.value)
    assert "finetune-full at 100% (fold 0, draw 0) diverged in epoch" in message
    assert "learning rate of 1e+08 is too high (precision fp32, no clipping)" in message
    assert "Lower it, for example lr=0.0001, or clip gradients with clip=1" in message
    assert {path: path.read_bytes() for path in (out / "runs").iterdir()} == kept
    done = fakes.tune(out, recipe={**high, "lr": 1e-3, "epochs": 1}, strategies=("head", "full"))
    assert done.trained == 2
    assert kept.items() <= {path: path.read_bytes() for path in (out / "runs").iterdir()}.items()


def test_runs_that_diverge_do_not_end_the_others(tmp_path, fakes, monkeypatch):
    """The command goes on, and tells of all of them at the end."""
    real = Trainer.train

    def train(trainer):
        if "finetune-full" in trainer._keeper.identity.name:
            raise trainer.diverged("in epoch 1")
        return real(trainer)

    monkeypatch.setattr(Trainer, "train", train)
    design = replace(fakes.design, draws=2)
    recorder = fakes.recorder()
    words = r"2 of 4 Runs diverged, the first: finetune-full at 100% \(fold 0, draw 0\) diverged"
    with pytest.raises(TrainingError, match=words):
        fakes.tune(tmp_path, strategies=("full", "head"), design=design, progress=recorder)
    methods = [run.key.method for run in RunStore(tmp_path)]
    assert methods == ["finetune-head", "finetune-head"]
    assert any("the last one diverged" in note for note in recorder.notes)
    with (tmp_path / "results.csv").open() as handle:
        assert len(handle.readlines()) == 3


def test_a_run_that_diverged_is_let_go(tmp_path, fakes, monkeypatch):
    """Its network, optimiser and loaders are not kept until the last Run has ended."""
    made, alive = [], []
    real = Trainer._prepared

    def prepared(trainer):
        gc.collect()
        alive.append(sum(model() is not None for model in made))
        made.append(weakref.ref(trainer._model))
        return real(trainer)

    monkeypatch.setattr(Trainer, "_prepared", prepared)
    high = {"optimizer": "sgd", "lr": 1e8, "clip": 0.0, "epochs": 30, "schedule": "constant"}
    with pytest.raises(TrainingError, match="4 of 4 Runs diverged"):
        fakes.tune(tmp_path, recipe=high, design=replace(fakes.design, draws=4))
    assert max(alive) <= 1


def test_without_validation_it_shows_on_the_test_images(tmp_path, fakes, monkeypatch):
    """One step too far: the loss was still a number, and no image is there to validate on."""
    monkeypatch.setattr(
        "featkit.finetuning._material.validation_rows",
        lambda label, *_args, **_options: np.zeros(len(label), dtype=bool),
    )
    step = {"optimizer": "sgd", "lr": 1e30, "clip": 0.0, "epochs": 1, "batch_size": 64}
    with pytest.raises(TrainingError, match=r"diverged on the test images: .*rate of 1e\+30"):
        fakes.tune(tmp_path, recipe=step)
    assert not list(tmp_path.glob("runs/*"))


def test_too_little_memory_says_what_to_lower(tmp_path, fakes, monkeypatch):
    def full(*_args, **_options):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")

    monkeypatch.setattr("featkit.finetuning._epoch.Epochs.run", full)
    words = r"\(fold 0, draw 0\) does not fit into the memory of cpu: .* smaller --batch-size"
    with pytest.raises(TrainingError, match=words):
        fakes.tune(tmp_path)


class FailingLoss(Loss):
    """Not a number from the sixth step on."""

    steps = 0

    def __call__(self, logits, target):
        FailingLoss.steps += 1
        loss = super().__call__(logits, target)
        return loss * math.nan if FailingLoss.steps >= 6 else loss


@pytest.mark.parametrize("written_before", [False, True])
def test_the_last_good_checkpoint_is_kept(tmp_path, fakes, monkeypatch, written_before):
    out = tmp_path / "out"
    monkeypatch.setattr(FailingLoss, "steps", 0)
    if written_before:
        monkeypatch.setattr(_keeping, "_SAVE_EVERY_S", -1.0)
    with monkeypatch.context() as patch:
        patch.setattr("featkit.finetuning._training.Loss", FailingLoss)
        with pytest.raises(
            TrainingError, match=r"in epoch 2: .*the state after epoch 1 is kept in"
        ):
            fakes.tune(out, recipe={"epochs": 4, "ema": 0.5})
        (checkpoint,) = (out / "checkpoints").iterdir()
        tensors = load_file(checkpoint)
        # Training goes on in place: what is kept must be a copy from before.
        assert {name.partition("/")[0] for name in tensors} == {
            "network",
            "best",
            "average",
            "optimizer",
        }
        assert all(tensor.isfinite().all() for tensor in tensors.values())
        # The same again says the same again.
        with pytest.raises(TrainingError, match="the state after epoch 1 is kept in"):
            fakes.tune(out, recipe={"epochs": 4, "ema": 0.5})
    fakes.tune(out, recipe={"epochs": 4, "ema": 0.5})
    fakes.tune(tmp_path / "whole", recipe={"epochs": 4, "ema": 0.5})
    assert_same(only_run(out), only_run(tmp_path / "whole"))


def test_nothing_to_keep(tmp_path, fakes, monkeypatch):
    monkeypatch.setattr(FailingLoss, "steps", 100)
    monkeypatch.setattr("featkit.finetuning._training.Loss", FailingLoss)
    with pytest.raises(TrainingError, match=r"in epoch 1: .*clipping 1\); no epoch ended well\."):
        fakes.tune(tmp_path / "out")
    assert not list((tmp_path / "out").glob("checkpoints/*"))


@pytest.mark.parametrize("damage", ["cut", "plan"])
def test_a_checkpoint_that_does_not_fit_is_refused_before_anything_is_lost(tmp_path, fakes, damage):
    import json

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        fakes.tune(out, recipe={"epochs": 4}, progress=fakes.recorder(stop_after=60))
    (checkpoint,) = (out / "checkpoints").iterdir()
    if damage == "cut":
        checkpoint.write_bytes(checkpoint.read_bytes()[:-100])
        words = "cannot read the checkpoint .* damaged"
    else:
        from safetensors import safe_open

        with safe_open(checkpoint, framework="pt") as file:
            header = json.loads(file.metadata()["featkit"])
        other = {"featkit": json.dumps({**header, "plan": "f" * 64})}
        save_file(load_file(checkpoint), checkpoint, metadata=other)
        words = r"it is of another Plan \(ffffffffffff, not"
    before = checkpoint.read_bytes()
    with pytest.raises(TrainingError, match=words):
        fakes.tune(out, recipe={"epochs": 4})
    assert checkpoint.read_bytes() == before
    checkpoint.unlink()
    assert fakes.tune(out, recipe={"epochs": 4}).trained == 1


def test_training_that_ends_early_keeps_the_best_epoch(tmp_path, fakes, monkeypatch):
    """Scores that only fall: the first epoch is the best, and two more are waited for."""
    scores = iter([(0.9, 0.0), (0.8, 0.0), (0.7, 0.0), (0.6, 0.0)])
    monkeypatch.setattr(
        "featkit.finetuning._material.Material.judge", lambda *_args, **_options: next(scores)
    )
    recorder = fakes.recorder()
    fakes.tune(tmp_path / "out", recipe={"epochs": 9, "patience": 2}, progress=recorder)
    run = only_run(tmp_path / "out")
    assert (run.chosen["epoch"], run.chosen["epochs"], run.chosen["epochs_planned"]) == (1, 3, 9)
    assert run.chosen["scores"] == [0.9, 0.8, 0.7]
    assert recorder.advanced == recorder.starts[-1][1]  # what is spared counts as done
    # The weights are those of the first epoch of as long a course.
    seen = []

    def stop(self, number, **rest):
        seen.append(number)
        if number:
            raise KeyboardInterrupt
        return real(self, number, **rest)

    from featkit.finetuning._epoch import Epochs

    real = Epochs.run
    monkeypatch.setattr(Epochs, "run", stop)
    monkeypatch.setattr("featkit.finetuning._material.Material.judge", lambda *_a, **_o: (0.9, 0.0))
    with pytest.raises(KeyboardInterrupt):
        fakes.tune(tmp_path / "one", recipe={"epochs": 9, "patience": 2})
    (checkpoint,) = (tmp_path / "one" / "checkpoints").iterdir()
    best = {k: v for k, v in load_file(checkpoint).items() if k.startswith("best/")}
    assert best
    assert run.cost.images_seen == 3 * recorder.starts[-1][1] / 9
