"""A data set as fine-tuning has it: decoded once, with what a Plan wants to know."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from featkit.backbones import Backbone
from featkit.data import Dataset
from featkit.experiment import ImageTable
from featkit.finetuning._pixels import Pixels, decoded
from featkit.fingerprints import fingerprint
from featkit.progress import Progress

__all__ = ["Images"]


@dataclass(frozen=True, eq=False)
class Images:
    """A data set at the size of a backbone's input.

    Attributes:
        dataset: The images.
        backbone: Says what they are resized to.
        folder: Where decoded images lie while Runs are made.
        workers: Threads that decode.
        progress: Told of every decoded image.
    """

    dataset: Dataset
    backbone: Backbone
    folder: Path
    workers: int
    progress: Progress

    @cached_property
    def ledger(self) -> Pixels:
        """Hashes and failures; the images themselves may be gone."""
        return self._decoded(images=False)

    @cached_property
    def pixels(self) -> Pixels:
        """The images too."""
        return self._decoded(images=True)

    @property
    def table(self) -> ImageTable:
        """What is known of all images."""
        dataset = self.dataset
        return ImageTable(
            name=dataset.name,
            image_id=dataset.image_id,
            label=dataset.label,
            group=dataset.group,
            image_hash=self.ledger.image_hash,
            classes=dataset.classes,
            official=dataset.split,
            metadata=dataset.metadata,
        )

    def _decoded(self, *, images: bool) -> Pixels:
        preprocessing = self.backbone.preprocessing
        name = fingerprint(self.dataset.fingerprint, preprocessing.to_dict())[:12]
        return decoded(
            self.dataset,
            preprocessing,
            self.folder / name,
            images=images,
            workers=self.workers,
            progress=self.progress,
        )
