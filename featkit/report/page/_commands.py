"""The commands that make the same Runs again, as the folders of Runs note them."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from featkit.features import FeatureStore

__all__ = ["commands", "options_text"]

_DATA = "DATA"


def commands(folders: Sequence[Path], stores: Sequence[FeatureStore]) -> str:
    """Return one command a line: extract, fit, finetune, compare, report.

    `DATA` stands for the place of the data set, which no file knows.
    """
    places = [str(path) for path in folders]
    lines = [f"# {_DATA} stands for the data set's folder, as in: featkit data info DATA"]
    lines += [_extract(store) for store in stores]
    lines += [line for folder in folders for line in _noted(folder / "commands.txt")]
    lines += [_join("compare", *places), _join("report", *places)]
    return "\n".join(dict.fromkeys(lines))


def _noted(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


def _extract(store: FeatureStore) -> str:
    attributes = store.attributes
    views = int(attributes.get("views", 1))
    options = ["--views", str(views)] if views > 1 else []
    if "precision" in attributes:
        options += ["--precision", str(attributes["precision"])]
    if "image_size" in attributes:
        options += ["--image-size", str(attributes["image_size"][0])]
    decoder = attributes.get("preprocessing", {}).get("decoder", "cpu")
    if decoder != "cpu":
        options += ["--decoder", str(decoder)]
    backbone = attributes["backbone"]
    if backbone.get("random_weights"):
        options.append("--random-weights")
    if backbone.get("pooling", "default") != "default":
        options += ["--pooling", str(backbone["pooling"])]
    spec = str(backbone["spec"])
    data = attributes["dataset"].get("origin") or [_DATA]
    return _join("extract", *data, "--backbone", spec, "--out", str(store.path), *options)


def _join(*words: str) -> str:
    return shlex.join(["featkit", *words])


def options_text(config: Mapping[str, object]) -> str:
    """Return a method's options as `name=value`, in alphabetical order."""
    return ", ".join(f"{name}={config[name]}" for name in sorted(config))
