"""export: one call for all forms in which a model can leave featkit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featkit.backbones import Backbone
from featkit.data import Dataset
from featkit.errors import DataError, UsageError
from featkit.features import FeatureStream
from featkit.inference._backbones import backbone_of
from featkit.inference._networks import write_network
from featkit.inference.from_runs import model_of_run
from featkit.inference.programs import FORMATS, export_program
from featkit.inference.tables import images_at
from featkit.models import TrainedModel

__all__ = ["export_model"]

_IMAGES = 32
"""So many real images is a file compared on."""


def export_model(
    source: Path | str,
    out: Path | str,
    *,
    form: str = "model",
    features: Sequence[Path] = (),
    images: str | None = None,
    network: bool = False,
    cases: bool = True,
) -> dict[str, object]:
    """Write the model of a Run in a form, and return what can be said of it.

    Args:
        source: `OUT/runs/NAME.npz`, or a model's folder.
        out: A folder for `model` and `timm`, else a file.
        form: `model`, `onnx`, `torch` or `timm`.
        features: Feature files of the Run, where its head was not kept.
        images: Real images to compare a file on: a folder, or a data set.
        network: Put the backbone's weights into a model's folder. Those of a folder on this
            machine always are, since its path means nothing elsewhere.
        cases: Leave the training cases in a model's folder.

    Raises:
        UsageError: A form that there is not, or that the model cannot take.
        StoreError: The Run's model cannot be made again, or the disk is full.
        ModelError: The file gives other probabilities, or `out` is something else.
        DataError: There are no real images to compare on.
    """
    model, place = model_of_run(Path(source), features=features), Path(out)
    said: dict[str, object] = {"name": model.facts.name, "format": form, "out": str(place)}
    if form == "model":
        known = model.facts.backbone
        wanted = network or known.inside or known.spec.startswith("local-dir:")
        _save(model if cases else model.without_cases(), place, network=wanted)
        return {**said, "network_inside": wanted}
    if form == "timm":
        if model.facts.training.frozen:
            raise UsageError(
                f"{model.facts.name} as a network of timm",
                cause="its network is the backbone's as it was, and its head is none of timm's",
                remedy="Use --format onnx or --format torch",
            )
        _copy_network(model, place)
        return said
    if form not in FORMATS:
        raise UsageError(
            f"--format {form}",
            cause="there is no such form",
            remedy=f"Use model, timm, {', '.join(FORMATS)}",
        )
    backbone = backbone_of(model)
    pixels = _real(backbone, images)
    gap = export_program(model, backbone, place, pixels, form=form)
    return {**said, "images": len(pixels), "largest_difference": gap}


def _save(model: TrainedModel, out: Path, *, network: bool) -> None:
    if not network:
        model.save(out)
        return
    backbone = backbone_of(model)
    facts = model.facts.backbone.model_copy(update={"inside": True})
    whole = replace(model, facts=model.facts.model_copy(update={"backbone": facts}))
    whole.save(out, network=lambda folder: write_network(model, backbone, folder))


def _copy_network(model: TrainedModel, out: Path) -> None:
    if model.folder is None:  # a fine-tuned one always lies somewhere
        raise ValueError("the model was never written")
    if out.exists():
        raise UsageError(
            f"--out {out}", cause="it is there already", remedy="Name a folder that is not there"
        )
    shutil.copytree(model.folder / "network", out)


def _real(backbone: Backbone, images: str | None) -> NDArray[np.uint8]:
    """Return the network's input of some real images, (n, H, W, 3)."""
    if images is None:
        raise UsageError(
            "--format without --images",
            cause="a file gets its name only when it gives PyTorch's probabilities on real images",
            remedy="Name some with --images DATA, such as a folder of the training images",
        )
    dataset = images_at([images])
    rows = np.unique(np.linspace(0, len(dataset) - 1, _IMAGES).astype(np.intp))
    found: list[NDArray[np.uint8]] = []
    for pixels, reason in _inputs(backbone, dataset.select(rows)):
        if not reason:
            found.append(pixels)
    if len(found) < 2:
        raise DataError(
            f"{dataset.name} has no images to compare on",
            cause="fewer than two can be read",
            remedy="Name others with --images",
        )
    return np.stack(found)


def _inputs(backbone: Backbone, dataset: Dataset) -> list[tuple[NDArray[np.uint8], str]]:
    with (
        FeatureStream(backbone, device="cpu", precision="fp32") as stream,
        closing(stream.batches(dataset, pixels=True)) as batches,
    ):
        return [
            (pixels, reason)
            for batch in batches
            if batch.pixels is not None
            for pixels, reason in zip(batch.pixels, batch.reason, strict=True)
        ]
