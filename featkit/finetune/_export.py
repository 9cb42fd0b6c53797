"""A fine-tuned network as a folder that timm loads: `config.json` and `model.safetensors`."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Sequence
from pathlib import Path

import timm
import torch
from timm.models import save_for_hf
from torch import nn

from featkit.backbones import Backbone
from featkit.errors import BackboneError
from featkit.files import disk_errors, write_json
from featkit.finetune._network import Classifier

__all__ = ["exportable", "save_model"]

_TOLERANCE = 1e-3
"""Largest difference of a logit between the network and its reloaded copy."""


def exportable(backbone: Backbone) -> None:
    """Check that a backbone, fine-tuned, can be written in timm's format.

    Raises:
        BackboneError: It is no network of timm, or its last layer cannot be replaced.
    """
    network = backbone.network
    if not hasattr(network, "pretrained_cfg") or not hasattr(network, "reset_classifier"):
        raise BackboneError(
            f"cannot save a fine-tuned {backbone.spec}",
            cause="models are saved in timm's format, and this is no plain network of timm",
            remedy="Leave --save-models out, or use a backbone timm:NAME with its own pooling",
        )


def save_model(
    model: Classifier, backbone: Backbone, classes: Sequence[str], folder: Path, *, note: str
) -> None:
    """Write the model, load it again with timm, and compare before the folder gets its name.

    Args:
        model: Trained, on any device.
        backbone: What it was made from.
        classes: The classes' names.
        folder: Where; replaced if it exists.
        note: What the model is, for whoever opens `config.json`.

    Raises:
        BackboneError: The reloaded copy gives other logits.
        StoreError: The folder cannot be written.
    """
    exportable(backbone)
    whole = _with_classifier(copy.deepcopy(model).cpu(), len(classes))
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
        _compare(whole, temporary, backbone)
        write_json(temporary / "featkit.json", {"classes": list(classes), "note": note})
        shutil.rmtree(folder, ignore_errors=True)
        temporary.rename(folder)


def _with_classifier(model: Classifier, classes: int) -> nn.Module:
    """Return timm's network with the trained last layer as its own."""
    network = model.network
    network.reset_classifier(classes)  # type: ignore[operator]
    last = network.get_classifier()  # type: ignore[operator]
    if not isinstance(last, nn.Linear):
        raise BackboneError(
            "cannot save the fine-tuned network",
            cause=f"timm gives it a last layer of kind {type(last).__name__}, not a linear one",
            remedy="Leave --save-models out",
        )
    last.load_state_dict(model.last.state_dict())
    return network.eval()


def _data_config(backbone: Backbone) -> dict[str, object]:
    """Return the preprocessing as timm writes it."""
    done = backbone.preprocessing
    resize = done.resize if isinstance(done.resize, int) else done.resize[0]
    mode = "center" if isinstance(done.resize, int) else "border" if done.border else "squash"
    return {
        "input_size": (3, *done.crop),
        # The smallest share that gives this size again, rounded down as it is.
        "crop_pct": done.crop[0] / (resize + 0.5) if mode == "center" else done.crop[0] / resize,
        "crop_mode": mode,
        "interpolation": done.interpolation,
        "mean": done.mean,
        "std": done.std,
    }


def _compare(whole: nn.Module, folder: Path, backbone: Backbone) -> None:
    again = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    height, width = backbone.preprocessing.crop
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(2, 3, height, width, generator=generator)
    with torch.inference_mode():
        gap = float((whole(images) - again(images)).abs().max())
    if not gap <= _TOLERANCE:
        raise BackboneError(
            f"cannot save a fine-tuned {backbone.spec}",
            cause=f"timm's copy gives logits that differ by {gap:.2g}",
            remedy="Leave --save-models out",
        )
