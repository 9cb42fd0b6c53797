import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from accelerate import Accelerator

from featkit.errors import UsageError
from featkit.finetuning import _clock, _team
from featkit.finetuning._clock import Clock
from featkit.finetuning._network import Classifier
from featkit.finetuning._optimisation import make_optimizer
from featkit.finetuning._team import Team, make_team
from featkit.finetuning.recipe import recipe_for
from featkit.runs import RunStore


def fake(rank=0, size=1, scaler=None):
    """What Team needs of an accelerator."""
    return SimpleNamespace(
        device=torch.device("cpu"), num_processes=size, process_index=rank, scaler=scaler
    )


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("count", [0, 1, 5, 6])
def test_shares_put_together_are_the_whole(monkeypatch, size, count):
    items = list(range(count))
    teams = [Team(fake(rank, size), "fp32") for rank in range(size)]
    shares = [team.share(items) for team in teams]
    assert sorted(item for share in shares for item in share) == items
    assert max(map(len, shares)) - min(map(len, shares)) <= 1
    monkeypatch.setattr(_team, "gather_object", lambda _mine: shares)
    assert all(team.together(team.share(items)) == items for team in teams)
    assert [team.leads for team in teams] == [True] + [False] * (size - 1)


def test_one_process_needs_no_agreement():
    team = make_team("cpu", "auto")
    assert team.agree("mine") == "mine"
    assert team.mean(torch.tensor(2.5)) == 2.5
    assert (team.size, team.rank, team.precision) == (1, 0, "fp32")
    assert team.scale == {}


@pytest.mark.parametrize(("bf16", "expected"), [(True, "bf16"), (False, "fp32")])
def test_auto_is_bf16_where_a_gpu_has_it(monkeypatch, bf16, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: bf16)
    assert _team._precision("auto", torch.device("cuda:0")) == expected
    assert _team._precision("auto", torch.device("cpu")) == "fp32"
    assert _team._precision("fp16", torch.device("cuda:0")) == "fp16"


def test_fp16_needs_a_gpu():
    with pytest.raises(UsageError, match=r"precision fp16: .* this runs on cpu"):
        make_team("cpu", "fp16")


def test_a_gpu_that_was_named_is_named_to_accelerate(monkeypatch):
    found = {}

    def accelerator(**options):
        found.update(options, device=os.environ.get("ACCELERATE_TORCH_DEVICE"))
        return fake()

    monkeypatch.setattr(_team, "Accelerator", accelerator)
    monkeypatch.setattr(_team, "resolve_device", torch.device)
    monkeypatch.setenv("ACCELERATE_TORCH_DEVICE", "mine")
    make_team("cuda:1", "fp32")
    assert found == {"mixed_precision": "no", "cpu": False, "device": "cuda:1"}
    assert os.environ["ACCELERATE_TORCH_DEVICE"] == "mine"
    monkeypatch.delenv("ACCELERATE_TORCH_DEVICE")
    make_team("cuda:1", "bf16")
    assert found["mixed_precision"] == "bf16"
    assert "ACCELERATE_TORCH_DEVICE" not in os.environ


def test_what_is_prepared_is_let_go_of(fakes):
    """Otherwise every Run's network and optimiser would stay on the GPU."""
    team = make_team("cpu", "bf16")
    model = Classifier(fakes.backbone(), 3, "full")
    team.prepare(model, make_optimizer(model, recipe_for("full")), scale=None)
    assert team.accelerator._models and team.accelerator._optimizers
    team.release()
    assert not team.accelerator._models and not team.accelerator._optimizers


def test_fp16_scales_every_training_alike_whatever_was_trained_before(fakes):
    """On a GPU; the scaler is the same on a CPU, where it can be tested."""
    accelerator = Accelerator(cpu=True)
    accelerator.scaler = torch.amp.GradScaler("cpu", init_scale=64.0, growth_interval=1)
    team = Team(accelerator, "fp16")
    first = dict(team.scale)
    assert first["scale"] == 64.0
    model = Classifier(fakes.backbone(), 3, "full")
    for scale, expected in ((None, 64.0), ({**first, "scale": 8.0}, 8.0), (None, 64.0)):
        _, optimizer = team.prepare(model, make_optimizer(model, recipe_for("full")), scale=scale)
        assert team.scale["scale"] == expected
        loss = model(torch.rand(2, 3, 10, 10)).square().sum() + model.last.bias.sum()
        team.accelerator.backward(loss)
        optimizer.step()
        assert team.scale["scale"] == 2 * expected
        team.release()


def test_a_lap_waits_for_the_gpu(monkeypatch):
    waits, now = [], iter(range(100))
    monkeypatch.setattr(torch.cuda, "synchronize", waits.append)
    monkeypatch.setattr(_clock.time, "perf_counter", lambda: float(next(now)))
    clock = Clock(torch.device("cuda:0"))
    laps = [clock.lap() for _ in range(3)]
    assert waits == [torch.device("cuda:0")] * 4
    assert all(wall > 0 and worked > 0 for wall, worked in laps)


LAUNCHED = """
import sys
sys.path.insert(0, sys.argv[1])
import torch
torch.set_num_threads(1)
from conftest import tune
options = {"recipe": {"epochs": 3, "augmentation": "none"}, "strategies": ("full", "lp-ft")}
for _ in range(2):
    tuned = tune(sys.argv[2], **options)
    sys.stdout.write(f"trained {tuned.trained} reused {tuned.reused}\\n")
sys.stdout.flush()
"""


@pytest.mark.slow
def test_two_processes_make_each_run_once_and_agree_with_one(tmp_path, fakes):
    script = tmp_path / "script.py"
    script.write_text(LAUNCHED)
    # On CPUs `accelerate launch` starts several processes by MPI alone; on GPUs it does this.
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    command += ["--nproc_per_node", "2", str(script), str(Path(__file__).parent)]
    command += [str(tmp_path / "two")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (
        sorted(done.stdout.splitlines()) == ["trained 0 reused 2"] * 2 + ["trained 2 reused 0"] * 2
    )
    options = {"recipe": {"epochs": 3, "augmentation": "none"}, "strategies": ("full", "lp-ft")}
    fakes.tune(tmp_path / "one", **options)
    one, two = (sorted(RunStore(tmp_path / n), key=lambda r: r.name) for n in ("one", "two"))
    assert [run.key.digest for run in one] == [run.key.digest for run in two]
    for alone, together in zip(one, two, strict=True):
        np.testing.assert_array_equal(alone.test.image_id, together.test.image_id)
        assert alone.cost.images_seen == together.cost.images_seen
        gap = np.abs(alone.probabilities - together.probabilities)
        # Statistics of batch normalisation are those of half a batch.
        assert gap.mean() < 0.05
        losses = alone.chosen["losses"], together.chosen["losses"]
        np.testing.assert_allclose(*losses, rtol=0.15)
