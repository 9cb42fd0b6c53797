"""A fine-tuned network as a folder that timm loads: `config.json` and `model.safetensors`."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from pathlib import Path

import timm
import torch
from timm.models import save_for_hf
from torch import Tensor, nn

from featkit.backbones import MODEL_FACTS, Backbone, images_seen
from featkit.errors import BackboneError
from featkit.files import disk_errors, write_json
from featkit.finetuning._network import Classifier

__all__ = ["exportable", "is_saved", "save_model"]

_TOLERANCE = 1e-3
"""Largest difference of a logit between the network and its copy, relative to the largest logit."""


@torch.random.fork_rng([])
def exportable(backbone: Backbone) -> None:
    """Check that a backbone, once fine-tuned, can be written in timm's format.

    Raises:
        BackboneError: It is no network of timm, or timm's last layer cannot take the place of ours.
    """
    network = backbone.network
    plain = hasattr(network, "pretrained_cfg") and hasattr(network, "reset_classifier")
    if not plain or backbone.pooling != "default":
        raise _unfit(
            backbone, "models are saved in timm's format, and this is no network of timm as it is"
        )
    model = Classifier(copy.deepcopy(backbone), 2, "head").eval()
    with torch.no_grad():
        for parameter in model.last.parameters():
            parameter.copy_(_noise(*parameter.shape))
    _as_timm_has_it(model, 2, backbone)


@torch.random.fork_rng([])
def save_model(
    model: Classifier,
    backbone: Backbone,
    classes: Sequence[str],
    folder: Path,
    *,
    note: str,
    trained_on: Sequence[str],
) -> None:
    """Write the model, load it again with timm, and compare before the folder gets its name.

    Args:
        model: Trained, on any device, in evaluation mode; it stays as it is.
        backbone: What it was made from.
        classes: The classes' names.
        folder: Where; replaced if it exists.
        note: What the model is, for whoever opens `config.json`.
        trained_on: Hashes of the pixels and files of all images that it has seen with their labels.

    Raises:
        BackboneError: timm's network or its reloaded copy gives other logits.
        StoreError: The folder cannot be written.
    """
    own = copy.deepcopy(model).cpu().to(memory_format=torch.contiguous_format)
    expected = _logits(own, backbone)
    whole = _as_timm_has_it(own, len(classes), backbone)
    temporary = folder.with_name(f".{folder.name}.tmp")
    with disk_errors(folder):
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
        save_for_hf(
            whole,
            str(temporary),
            model_config={"label_names": list(classes), "description": note},
            safe_serialization=True,
            data_config=_data_config(backbone),
        )
        again = timm.create_model(f"local-dir:{temporary}", pretrained=True).eval()
        _compare(_logits(again, backbone), expected, backbone)
        facts = {"classes": list(classes), "note": note, "trained_on": list(trained_on)}
        write_json(temporary / MODEL_FACTS, facts)
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)


def is_saved(folder: Path) -> bool:
    """Tell whether a folder holds a model, and says which images it has seen."""
    try:
        return images_seen(folder) is not None
    except BackboneError:
        return False


def _as_timm_has_it(model: Classifier, classes: int, backbone: Backbone) -> nn.Module:
    """Return timm's network with the last layer of `model` as its own; `model` is used up.

    Raises:
        BackboneError: The network has no linear last layer, or does more than that after ours.
    """
    network, expected = model.network, _logits(model, backbone)
    network.reset_classifier(classes)  # type: ignore[operator]
    last = network.get_classifier()  # type: ignore[operator]
    if not isinstance(last, nn.Linear) or last.weight.shape != model.last.weight.shape:
        raise _unfit(backbone, f"timm gives it a last layer of another kind, {last}")
    last.load_state_dict(model.last.state_dict())
    _compare(_logits(network.eval(), backbone), expected, backbone)
    return network


def _logits(network: nn.Module, backbone: Backbone) -> Tensor:
    """Return the logits of two images of noise, shape (2, C), computed on the CPU."""
    with torch.inference_mode():
        logits: Tensor = network(_noise(2, 3, *backbone.preprocessing.crop))
    return logits


def _noise(*shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def _compare(found: Tensor, expected: Tensor, backbone: Backbone) -> None:
    gap = float((found - expected).abs().max())
    if not gap <= _TOLERANCE * (1 + float(expected.abs().max())):
        raise _unfit(backbone, f"timm's network gives logits that differ by {gap:.2g}")


def _unfit(backbone: Backbone, cause: str) -> BackboneError:
    return BackboneError(
        f"cannot save a fine-tuned {backbone.spec}",
        cause=cause,
        remedy="Leave --save-models out, or use a backbone timm:NAME with its own pooling",
    )


def _data_config(backbone: Backbone) -> dict[str, object]:
    """Return the preprocessing as timm writes it."""
    done = backbone.preprocessing
    resize = done.resize if isinstance(done.resize, int) else done.resize[0]
    mode = "center" if isinstance(done.resize, int) else "border" if done.border else "squash"
    return {
        "input_size": (3, *done.crop),
        # timm rounds the size that it computes from this share down.
        "crop_pct": done.crop[0] / (resize + 0.5),
        "crop_mode": mode,
        "interpolation": done.interpolation,
        "mean": done.mean,
        "std": done.std,
    }
