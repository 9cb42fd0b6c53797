"""A backbone's network as a folder in timm's format, to go along with a model."""

from __future__ import annotations

import shutil
from pathlib import Path

from timm.models import save_for_hf

from featkit.backbones import Backbone, load_backbone
from featkit.errors import ModelError
from featkit.models import TrainedModel

__all__ = ["write_network"]

_FILES = ("config.json", "model.safetensors", "featkit.json")


def write_network(model: TrainedModel, backbone: Backbone, folder: Path) -> None:
    """Write the network that a model's features come from, and load it again.

    Args:
        model: The model.
        backbone: Its backbone, on the CPU.
        folder: In timm's format; made here.

    Raises:
        ModelError: It is no network of timm, or comes back with other weights.
    """
    spec = model.backbone_spec
    folder.mkdir()
    if spec.startswith("local-dir:"):
        source = Path(spec.removeprefix("local-dir:")).expanduser()
        for name in _FILES:
            if (source / name).is_file():
                shutil.copyfile(source / name, folder / name)
    elif hasattr(backbone.network, "pretrained_cfg"):
        save_for_hf(backbone.network, str(folder), safe_serialization=True)
    else:
        raise _unfit(model, "it is no network of timm as it is")
    facts = model.facts.backbone
    again = load_backbone(
        f"local-dir:{folder}",
        pooling=None if facts.pooling == "default" else facts.pooling,
        image_size=facts.preprocessing.crop[0],
    )
    if again.weights_sha256 != facts.weights_sha256:
        raise _unfit(model, "timm reads other weights from the folder than were written")


def _unfit(model: TrainedModel, cause: str) -> ModelError:
    return ModelError(
        f"cannot put the network of {model.facts.name} into its folder",
        cause=cause,
        remedy="Leave --network out: the model then names its backbone, whose weights are compared",
    )
