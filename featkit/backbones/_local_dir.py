"""The source `local-dir:`: a folder in timm's own format, `config.json` + `model.safetensors`."""

from __future__ import annotations

import difflib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from timm.models import is_model, list_models

from featkit.backbones._timm_network import build_network
from featkit.backbones.model_facts import images_seen
from featkit.backbones.source import Built, Options
from featkit.errors import BackboneError

__all__ = ["CONFIG", "LocalDirSource", "build_folder"]

CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_PICKLES = (".bin", ".pth", ".pt", ".tar", ".pkl", ".ckpt")


class LocalDirSource:
    """Folders on this machine."""

    prefix = "local-dir"

    def names(self) -> Sequence[str]:
        """Return nothing: folders are not looked for."""
        return []

    def has(self, name: str) -> bool:
        """Tell whether a path is given; what is wrong with it `build` says."""
        return bool(name)

    def cached(self, name: str) -> bool:
        """Tell whether the folder has weights."""
        return (Path(name).expanduser() / _WEIGHTS).is_file()

    def build(self, name: str, options: Options) -> Built:
        """Build the network that the folder describes.

        Raises:
            BackboneError: A file is missing or damaged, or does not describe a network of timm.
        """
        return build_folder(f"local-dir:{name}", Path(name).expanduser(), options, name=name)


def build_folder(spec: str, folder: Path, options: Options, *, name: str) -> Built:
    """Build a network from a folder in timm's format.

    Args:
        spec: The backbone, for messages.
        folder: Where its two files are.
        options: How it is wanted.
        name: Its name within the source.

    Raises:
        BackboneError: A file is missing or damaged, or does not describe a network of timm.
    """
    if not folder.is_dir():
        raise BackboneError(
            f"cannot load {spec}",
            cause="it is a file" if folder.exists() else "no such folder",
            remedy=f"Give the folder that has {CONFIG} and {_WEIGHTS}",
        )
    config = _read_config(folder / CONFIG)
    if not options.random_weights:
        _check_weights(folder / _WEIGHTS)
    pretrained = config.get("pretrained_cfg", config)
    built = build_network(
        spec,
        f"local-dir:{folder}",
        options,
        name=name,
        fixed=bool(pretrained.get("fixed_input_size")),
    )
    seen = None if options.random_weights else images_seen(folder)
    return replace(built, trained_on=seen or ())


def _read_config(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise BackboneError(
            f"{path.parent} has no {path.name}",
            cause="it is not a folder in timm's format",
            remedy=f"Give a folder with {CONFIG} and {_WEIGHTS}, as timm's save_for_hf writes them",
        )
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise BackboneError(
            f"cannot read {path}",
            cause=f"it is not JSON ({error})",
            remedy="Fetch the folder again",
        ) from error
    architecture = config.get("architecture") if isinstance(config, dict) else None
    if not isinstance(architecture, str) or not isinstance(config.get("pretrained_cfg", {}), dict):
        raise BackboneError(
            f"{path} names no architecture",
            cause="it is not a configuration of timm",
            remedy="Give a folder that timm wrote; models of other libraries are not supported",
        )
    if not is_model(architecture):
        near = difflib.get_close_matches(architecture, list_models(), n=1)
        raise BackboneError(
            f"{path} names the architecture {architecture}",
            cause="the installed timm does not know it" + "".join(f"; near is {n}" for n in near),
            remedy="Update timm or mend the name",
        )
    return dict(config)


def _check_weights(path: Path) -> None:
    if not path.is_file():
        pickles = sorted(p.name for p in path.parent.iterdir() if p.suffix in _PICKLES)
        raise BackboneError(
            f"{path.parent} has no {path.name}",
            cause=f"{pickles[0]} is a pickle, which can run code when it is loaded"
            if pickles
            else "the weights are missing",
            remedy=f"Convert it to {path.name} (safetensors.torch.save_file) where you trust it"
            if pickles
            else "Fetch the folder again, or ask for --random-weights",
        )
    try:
        with safe_open(path, framework="pt") as file:
            empty = not file.keys()
    except (SafetensorError, OSError) as error:
        raise BackboneError(
            f"cannot read {path}",
            cause=f"it is cut short or damaged ({error})",
            remedy="Fetch the file again",
        ) from error
    if empty:
        raise BackboneError(
            f"{path} has no tensors",
            cause="nothing was saved in it",
            remedy="Fetch the file again",
        )
