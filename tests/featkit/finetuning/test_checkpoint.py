import json

import pytest
import torch
from safetensors.torch import save_file

from featkit.errors import StoreError, TrainingError
from featkit.finetuning import _keeping, recipe_for
from featkit.finetuning._checkpoint import Checkpoint, optimizer_tensors, restore_optimizer
from featkit.finetuning._keeping import Identity, Keeper
from featkit.finetuning._network import Classifier
from featkit.finetuning._optimisation import make_optimizer

FACTS = {"epoch": 3, "losses": [0.1, 1 / 3], "scores": [[0.5, -0.1]], "chosen": {"probe_C": 1e-5}}


@pytest.fixture
def checkpoint():
    tensors = {
        "network/a": torch.arange(6.0).view(2, 3).t(),
        "network/b.num_batches_tracked": torch.tensor(4),
        "best/a": torch.ones(1, 2, 3, 4).contiguous(memory_format=torch.channels_last),
        "optimizer/0/step": torch.tensor(2.0),
    }
    return Checkpoint(tensors, FACTS)


def test_what_is_written_is_read(tmp_path, checkpoint):
    path = tmp_path / "new" / "c.safetensors"
    checkpoint.save(path, run="r", plan="p")
    again = Checkpoint.load(path, run="r", plan="p")
    assert {name: again.facts[name] for name in FACTS} == FACTS
    assert again.tensors.keys() == checkpoint.tensors.keys()
    for name, tensor in checkpoint.tensors.items():
        assert torch.equal(again.tensors[name], tensor)
        assert again.tensors[name].dtype == tensor.dtype
    assert set(again.part("network")) == {"a", "b.num_batches_tracked"}
    assert again.part("net") == {}
    assert [item.name for item in path.parent.iterdir()] == ["c.safetensors"]


def test_none_is_none(tmp_path):
    assert Checkpoint.load(tmp_path / "none", run="r", plan="p") is None


def test_another_plans_or_runs_is_refused_and_named(tmp_path, checkpoint):
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, run="r" * 64, plan="p" * 64)
    with pytest.raises(
        TrainingError, match=r"c\.safetensors: it is of another Plan \(p{12}, not q{12}"
    ):
        Checkpoint.load(path, run="r" * 64, plan="q" * 64)
    with pytest.raises(TrainingError, match=r"another recipe, backbone or training set.*Delete"):
        Checkpoint.load(path, run="s" * 64, plan="p" * 64)


def test_a_newer_schema(tmp_path):
    path = tmp_path / "c.safetensors"
    header = {"schema": 99, "run": "r", "plan": "p"}
    save_file({"a": torch.ones(1)}, path, metadata={"featkit": json.dumps(header)})
    with pytest.raises(TrainingError, match="schema 99, this featkit reads up to 1"):
        Checkpoint.load(path, run="r", plan="p")


@pytest.mark.parametrize("damage", ["cut", "empty", "flipped", "text", "foreign", "folder"])
def test_damage_is_named_with_a_remedy(tmp_path, checkpoint, damage):
    path = tmp_path / "c.safetensors"
    checkpoint.save(path, run="r", plan="p")
    data = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    elif damage == "foreign":
        save_file({"a": torch.ones(1)}, path)
    else:
        kinds = {"cut": data[:-5], "empty": b"", "flipped": b"\xff" + data[1:], "text": b"diary"}
        path.write_bytes(kinds[damage])
    with pytest.raises(TrainingError, match=r"cannot read the checkpoint .*it is damaged.*Delete"):
        Checkpoint.load(path, run="r", plan="p")


def test_a_copy_stays_as_it_is_while_training_goes_on():
    live = torch.zeros(3)
    kept = Checkpoint({"network/a": live}, FACTS).copy()
    live += 1
    assert torch.equal(kept.tensors["network/a"], torch.zeros(3))


@pytest.mark.parametrize("name", ["adamw", "adam", "sgd"])
def test_an_optimiser_goes_on_as_if_it_had_not_stopped(tmp_path, fakes, name):
    def make():
        model = Classifier(fakes.backbone(), 3, "full")
        model.to(memory_format=torch.channels_last)
        return model, make_optimizer(model, recipe_for("full", {"optimizer": name}))

    def steps(model, optimizer, numbers):
        for number in numbers:
            generator = torch.Generator().manual_seed(number)
            for parameter in model.parameters():
                parameter.grad = torch.randn(parameter.shape, generator=generator)
            optimizer.step()

    model, optimizer = make()
    steps(model, optimizer, range(3))
    path = tmp_path / "c.safetensors"
    tensors = {f"network/{key}": value for key, value in model.state_dict().items()}
    Checkpoint({**tensors, **optimizer_tensors(optimizer)}, FACTS).save(path, run="r", plan="p")
    found = Checkpoint.load(path, run="r", plan="p")
    again, fresh = make()
    again.load_state_dict(found.part("network"))
    restore_optimizer(fresh, found.part("optimizer"))
    steps(model, optimizer, range(3, 6))
    steps(again, fresh, range(3, 6))
    for one, other in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)


IDENTITY = Identity("finetune-full at 5%", "r", "p", 0)


def test_a_keeper_writes_from_time_to_time(tmp_path, checkpoint, monkeypatch):
    path = tmp_path / "c.safetensors"
    keeper = Keeper(path, IDENTITY, writes=True)
    assert keeper.load() is None
    assert keeper.write() is None
    keeper.take(checkpoint)
    assert not path.exists()
    assert keeper.write() == path
    path.unlink()
    monkeypatch.setattr(_keeping, "_SAVE_EVERY_S", -1.0)
    keeper.take(checkpoint)
    assert Keeper(path, IDENTITY, writes=False).load().facts["epoch"] == 3
    keeper.take(checkpoint)
    (tmp_path / ".c.safetensors.123.tmp").write_text("half of one")
    (tmp_path / "other").write_text("mine")
    Keeper(path, IDENTITY, writes=False).forget()
    assert path.exists()
    keeper.forget()
    keeper.forget()
    assert [item.name for item in tmp_path.iterdir()] == ["other"]


def test_only_the_leading_process_writes(tmp_path, checkpoint, monkeypatch):
    monkeypatch.setattr(_keeping, "_SAVE_EVERY_S", -1.0)
    Keeper(tmp_path / "c", IDENTITY, writes=False).take(checkpoint)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(tmp_path, checkpoint):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="cannot write"):
        checkpoint.save(tmp_path / "file" / "c", run="r", plan="p")
