"""Checkpoints: one safetensors file with JSON in its header, written whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from featkit.errors import TrainingError
from featkit.files import atomic_path

__all__ = ["Checkpoint", "optimizer_tensors", "restore_optimizer"]

_SCHEMA = 1


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The state of a training after an epoch.

    Attributes:
        tensors: By name; `network/…`, `best/…`, `average/…` and `optimizer/…`.
        facts: JSON-like: epoch, scores, costs.
    """

    tensors: Mapping[str, Tensor]
    facts: Mapping[str, Any]

    def part(self, name: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin with `name/`, without it."""
        prefix = f"{name}/"
        return {
            key.removeprefix(prefix): tensor
            for key, tensor in self.tensors.items()
            if key.startswith(prefix)
        }

    def copy(self) -> Checkpoint:
        """Return one that stays as it is while training goes on, on the same device."""
        tensors = {name: tensor.detach().clone() for name, tensor in self.tensors.items()}
        return Checkpoint(tensors, self.facts)

    def save(self, path: Path, *, run: str, plan: str) -> None:
        """Write the checkpoint of a Run.

        Args:
            path: Where.
            run: Digest of the Run's key.
            plan: Fingerprint of its Plan.

        Raises:
            StoreError: The disk is full or the folder cannot be written.
        """
        header = {"schema": _SCHEMA, "run": run, "plan": plan, **self.facts}
        # The format knows no shared memory and no other order than row by row.
        tensors = {
            name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()
        }
        with atomic_path(path) as temporary:
            save_file(tensors, temporary, metadata={"featkit": json.dumps(header)})

    @classmethod
    def load(cls, path: Path, *, run: str, plan: str) -> Checkpoint | None:
        """Read the checkpoint of a Run, or return None where there is none.

        Raises:
            TrainingError: It is damaged, of another Run or Plan, or of a newer featkit.
        """
        if not path.exists():
            return None
        remedy = f"Delete {path}: the Run then starts anew"
        try:
            with safe_open(path, framework="pt") as file:
                header = json.loads((file.metadata() or {})["featkit"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError, ValueError, LookupError) as error:
            raise TrainingError(
                f"cannot read the checkpoint {path}",
                cause=f"it is damaged ({str(error).splitlines()[0][:80]})",
                remedy=remedy,
            ) from error
        cause = _unfit(header, run=run, plan=plan)
        if cause:
            raise TrainingError(f"cannot continue from {path}", cause=cause, remedy=remedy)
        return cls(tensors, header)


def _unfit(header: Mapping[str, Any], *, run: str, plan: str) -> str:
    if header.get("schema", 0) > _SCHEMA:
        return f"it has schema {header['schema']}, this featkit reads up to {_SCHEMA}"
    if header.get("plan") != plan:
        return f"it is of another Plan ({str(header.get('plan'))[:12]}, not {plan[:12]})"
    if header.get("run") != run:
        return "it is of a Run with another recipe, backbone or training set"
    return ""


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return an optimiser's state as tensors by name: `optimizer/PARAMETER/NAME`."""
    state = optimizer.state_dict()["state"]
    return {
        f"optimizer/{number}/{name}": torch.as_tensor(value)
        for number, values in state.items()
        for name, value in values.items()
        if value is not None
    }


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    """Give an optimiser of the same parameters a state: tensors by `PARAMETER/NAME`."""
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        number, _, name = key.partition("/")
        parameter = parameters[int(number)]
        same = tensor.shape == parameter.shape
        # In the parameter's order in memory, which is faster.
        value = torch.empty_like(parameter).copy_(tensor) if same else tensor
        state.setdefault(int(number), {})[name] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
