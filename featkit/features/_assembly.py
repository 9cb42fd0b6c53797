"""Assembly: the finished parts of an extraction become the feature file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from featkit.data.dataset import Dataset
from featkit.errors import StoreError
from featkit.features._choosing import storage_dtype
from featkit.features._filling import Filling
from featkit.features._parts import Part
from featkit.features._writer import write_store
from featkit.features.identity import identity_of
from featkit.provenance import software_versions

__all__ = ["assemble"]

_PACKAGES = ("torch", "timm", "torchvision", "openvino", "h5py", "numpy", "pillow")


def assemble(
    out: Path,
    *,
    dataset: Dataset,
    filling: Filling,
    attributes: Mapping[str, Any],
    trained_on: Sequence[str] = (),
) -> None:
    """Write the feature file from parts, of which one at a time is in memory.

    Args:
        out: The file.
        dataset: The images.
        filling: Gives the parts, all of them finished.
        attributes: As `job_attributes` returns them, with device and cost; what is known only
            now is added.
        trained_on: Images that the backbone was fine-tuned on.

    Raises:
        StoreError: A part has been damaged, the disk is full, or the folder cannot be written.
    """
    spent = np.array([part.spent for part in _parts(filling)])
    wall, device, _, worked = spent.sum(axis=0).tolist()
    cost = {
        "wall_seconds": wall,
        "images_per_second": len(dataset) / wall,
        "device_seconds": device,
        "worked_seconds": worked,
        "peak_memory_bytes": int(spent[:, 2].max()),
        **attributes["cost"],
    }
    write_store(
        out,
        dataset=dataset,
        parts=_parts(filling),
        shape=filling.shape,
        dtype=storage_dtype(filling.precision),
        attributes={
            **attributes,
            "fingerprint": identity_of(attributes),
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": software_versions(_PACKAGES),
            "cost": cost,
        },
        trained_on=trained_on,
    )


def _parts(filling: Filling) -> Iterator[Part]:
    for index in range(filling.count):
        part = filling.read(index)
        if part is None:
            raise StoreError(
                f"part {index} in {filling.folder.path} cannot be read",
                cause="it was damaged or removed after it was written",
                remedy="Run the same command again: it will be made anew",
            )
        yield part
