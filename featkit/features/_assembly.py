"""Assembly: the finished parts or shards of an extraction become the feature file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from featkit.backbones import SOURCES
from featkit.data.dataset import Dataset
from featkit.features._choosing import storage_dtype
from featkit.features._filling import Filling
from featkit.features._writer import StoreFile
from featkit.features.identity import identity_of
from featkit.provenance import software_versions

__all__ = ["assemble"]

_PACKAGES = (
    "torch",
    "timm",
    "torchvision",
    "openvino",
    "torchcodec",
    "ray",
    "h5py",
    "numpy",
    "pillow",
)


def assemble(
    out: Path,
    *,
    dataset: Dataset,
    filling: Filling,
    attributes: Mapping[str, Any],
    at_once: int = 1,
    trained_on: Sequence[str] = (),
) -> None:
    """Write the feature file from parts or shards, of which one at a time is in memory.

    Args:
        out: The file.
        dataset: The images.
        filling: Gives them, all of them finished.
        attributes: As `job_attributes` returns them, with device and cost; what is known only
            now is added.
        at_once: How many processes made parts at the same time.
        trained_on: Images that the backbone was fine-tuned on.

    Raises:
        StoreError: A part or shard has been damaged, the disk is full, or the folder cannot be
            written.
    """
    spent = filling.spent()
    wall, device, _, worked = spent.sum(axis=0).tolist()
    cost = {
        "wall_seconds": wall / at_once,
        "images_per_second": len(dataset) / (wall / at_once),
        "device_seconds": device,
        "worked_seconds": worked,
        "peak_memory_bytes": int(spent[:, 2].max()),
        **attributes["cost"],
    }
    source = str(attributes["backbone"]["spec"]).partition(":")[0]
    file = StoreFile(
        path=out,
        dataset=dataset,
        shape=filling.shape,
        dtype=storage_dtype(filling.precision),
        attributes={
            **attributes,
            "fingerprint": identity_of(attributes),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": software_versions((*_PACKAGES, *SOURCES.distributions(source))),
            "cost": cost,
        },
        trained_on=trained_on,
    )
    if filling.shards is None:
        file.write(filling.parts())
    else:
        file.join(filling.shards, map(filling.shards.ledger, range(filling.shards.count)))
