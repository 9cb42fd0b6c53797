"""Identity: what a feature file was made of, and in which point it differs from another."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from featkit.backbones.backbone import Backbone
from featkit.data.dataset import Dataset
from featkit.errors import StoreError
from featkit.features._layout import SCHEMA
from featkit.fingerprints import fingerprint

__all__ = ["differences", "identity_of", "job_attributes", "refuse_other"]


def job_attributes(
    dataset: Dataset, backbone: Backbone, *, views: int, precision: str
) -> dict[str, Any]:
    """Return the attributes of a feature file that are known before it is made.

    Args:
        dataset: The images.
        backbone: What makes their features.
        views: Number of views of each image.
        precision: `fp32`, `bf16`, `fp16`, or `auto` where it is not chosen yet.
    """
    preprocessing = json.loads(json.dumps(backbone.preprocessing.to_dict()))
    return {
        "schema": SCHEMA,
        "classes": list(dataset.classes),
        "backbone": {
            "spec": backbone.spec,
            "architecture": backbone.architecture,
            "weights_sha256": backbone.weights_sha256,
            "dimension": backbone.dimension,
            "pooling": backbone.pooling,
            "parameters": backbone.parameters,
            "random_weights": backbone.random_weights,
            "fingerprint": backbone.fingerprint,
        },
        "preprocessing": preprocessing,
        "image_size": list(backbone.preprocessing.crop),
        "precision": precision,
        "views": views,
        "dataset": {
            "name": dataset.name,
            "size": len(dataset),
            "fingerprint": dataset.fingerprint,
            "origin": list(dataset.origin),
        },
    }


def identity_of(attributes: Mapping[str, Any]) -> str:
    """Return the SHA-256 of all that the features depend on."""
    return fingerprint(
        attributes["schema"],
        attributes["backbone"]["fingerprint"],
        attributes["dataset"]["fingerprint"],
        attributes["precision"],
        attributes["views"],
    )


def differences(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    """Return in words how the found features differ from the wanted ones; [] where they do not.

    Args:
        wanted: Attributes as `job_attributes` returns them; precision `auto` fits any.
        found: Attributes of a feature file or of an unfinished one.
    """
    ours, theirs = _points(wanted), _points(found)
    if wanted["precision"] == "auto":
        ours["precision"] = theirs["precision"]
    names = [name for name in {**ours, **theirs} if ours.get(name) != theirs.get(name)]
    return [
        f"{name} differs (there {_short(theirs.get(name))}; asked for {_short(ours.get(name))})"
        for name in names
    ]


def refuse_other(path: Path, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raise an error that names each difference between found and wanted features.

    Raises:
        StoreError: They differ.
    """
    found_differences = differences(wanted, found)
    if found_differences:
        raise StoreError(
            f"{path} holds other features than asked for",
            cause="; ".join(found_differences),
            remedy="Give --fresh to replace it, or another --out",
        )


def _points(attributes: Mapping[str, Any]) -> dict[str, Any]:
    backbone, dataset = attributes["backbone"], attributes["dataset"]
    return {
        "schema": attributes["schema"],
        "backbone": (backbone["architecture"], "weights", backbone["weights_sha256"]),
        "pooling": backbone["pooling"],
        **{f"preprocessing ({key})": value for key, value in attributes["preprocessing"].items()},
        "precision": attributes["precision"],
        "number of views": attributes["views"],
        "data set": (dataset["name"], dataset["size"], "images", dataset["fingerprint"]),
    }


def _short(value: Any) -> str:
    """Return a value for people: fingerprints by their first digits."""
    if isinstance(value, tuple):
        return " ".join(_short(item) for item in value)
    text = str(value)
    return text[:8] if len(text) == 64 else text
