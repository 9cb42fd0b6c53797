"""One extraction: begun or continued, filled part by part, and assembled at the end."""

from __future__ import annotations

import glob
import uuid
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from featkit.backbones.backbone import Backbone
from featkit.data.dataset import Dataset
from featkit.errors import DataError, StoreError
from featkit.features._assembly import assemble
from featkit.features._engine import Engine
from featkit.features._filling import Filling
from featkit.features._loading import check_decoder
from featkit.features._parts import Manifest, PartFolder
from featkit.features._shards import Shards, remove_shards
from featkit.features._trial import sample_of
from featkit.features.identity import differences, job_attributes, refuse_other
from featkit.features.store import FeatureStore
from featkit.files import output_lock
from featkit.hardware.devices import default_batch
from featkit.progress import Progress

__all__ = ["Job"]

_PART_IMAGES = 256
"""A part has at least so many images, and four batches: what a crash may cost."""

_ONE_FILE = 2_097_152
"""Of more feature vectors (images × views), a store is kept in shards."""

_SHARD_ROWS = 65_536
"""A shard has about so many images: a store of 100 million has some 1,500 shards."""


@dataclass(frozen=True, eq=False)
class Job:
    """An extraction with all its settings (see `extract`)."""

    dataset: Dataset
    backbone: Backbone
    out: Path
    batch_size: int | None
    precision: str
    views: int
    fresh: bool
    engine: Engine
    progress: Progress

    def run(self) -> FeatureStore:
        """Do whatever is left of the job, and return the finished store."""
        wanted = job_attributes(
            self.dataset, self.backbone, views=self.views, precision=self.precision
        )
        if self.out.is_dir():
            raise StoreError(
                f"cannot write {self.out}", cause="it is a folder", remedy="Name a file with --out"
            )
        with output_lock(self.out):
            # A process that was killed may have left one; the lock says that it is no one's now.
            for stale in self.out.parent.glob(f".{glob.escape(self.out.name)}.*.tmp"):
                stale.unlink()
            if self.out.exists() and not self.fresh:
                return self._finished(wanted)
            with self.engine:
                check_decoder(self.backbone.preprocessing, self.engine.device, views=self.views)
                self._extract(self._continued(wanted) or self._begun(wanted))
        return FeatureStore.open(self.out)

    @cached_property
    def _folder(self) -> PartFolder:
        return PartFolder(self.out.with_name(f"{self.out.name}.parts"))

    def _finished(self, wanted: dict[str, Any]) -> FeatureStore:
        """Return the store that is already there, if it is the one that is asked for."""
        try:
            store = FeatureStore.open(self.out)
        except StoreError as error:
            remedy = "Give --fresh to replace it, or another --out"
            raise StoreError(error.what, cause=error.cause, remedy=remedy) from error
        refuse_other(self.out, wanted, store.attributes)
        if set(store.trained_on.tolist()) != set(self.backbone.trained_on):
            raise StoreError(
                f"{self.out} does not know what {self.backbone.name} was fine-tuned on",
                cause="the backbone's folder said otherwise when the features were made",
                remedy="Give --fresh to replace it, or another --out",
            )
        manifest = self._folder.manifest()
        # Without a manifest they are what a process left that was killed while it removed them.
        if manifest is None or not differences(manifest.attributes, store.attributes):
            self._folder.remove()
        self.progress.start(
            f"{self.out} is already there", total=len(store), done=len(store), unit="images"
        )
        self.progress.finish()
        return store

    def _continued(self, wanted: dict[str, Any]) -> Manifest | None:
        """Return the manifest of an earlier attempt at this job."""
        manifest = self._folder.manifest()
        if manifest is None:
            return None
        if not self.fresh:
            refuse_other(self._folder.path, wanted, manifest.attributes)
            return manifest
        same = manifest.fresh and not differences(wanted, manifest.attributes)
        return manifest if same else None

    def _begun(self, wanted: dict[str, Any]) -> Manifest:
        """Choose what was left to choose, and write it down."""
        device = self.engine.device
        sample = sample_of(self.dataset, self.views, device)
        batch_size = self.batch_size or default_batch(device)
        way, check = self.engine.choose(self.precision, sample, batch_size)
        batch_rows = self._batch_rows(batch_size)
        part_rows = batch_rows * max(4, -(-_PART_IMAGES // batch_rows))
        manifest = Manifest(
            attributes={**wanted, "precision": way.precision},
            runtime=way.runtime,
            faithfulness=check.to_dict() if check else None,
            batch_size=batch_size,
            part_rows=part_rows,
            fresh=self.fresh,
            job=uuid.uuid4().hex[:16],
            shard_parts=self._shard_parts(part_rows),
        )
        self._folder.begin(manifest)
        return manifest

    def _batch_rows(self, batch_size: int) -> int:
        return max(1, batch_size // self.views)

    def _shard_parts(self, part_rows: int) -> int | None:
        """Return how many parts make a shard; None where the features come into one file."""
        if len(self.dataset) * self.views <= _ONE_FILE:
            return None
        return max(1, _SHARD_ROWS // part_rows)

    def _extract(self, manifest: Manifest) -> None:
        batch_size = self.batch_size or manifest.batch_size
        filling = self._filling(manifest, batch_size)
        task = f"extract {self.backbone.spec}"
        worked = self.engine.fill(filling, manifest.way, batch_size, self.progress, task=task)
        if worked.failures.total() == len(self.dataset):
            self._folder.remove()
            remove_shards(self.out, job=manifest.job)
            raise _all_failed(self.dataset, worked.failures)
        attributes = {
            **manifest.attributes,
            "runtime": manifest.runtime,
            "faithfulness": manifest.faithfulness,
            "device": worked.device,
            "cost": worked.cost,
        }
        assemble(
            self.out,
            dataset=self.dataset,
            filling=filling,
            attributes=attributes,
            at_once=worked.at_once,
            trained_on=self.backbone.trained_on,
        )
        self._folder.remove()
        remove_shards(self.out, but=manifest.job)

    def _filling(self, manifest: Manifest, batch_size: int) -> Filling:
        count, shards = len(self.dataset), None
        if manifest.shard_parts is not None:
            rows = manifest.shard_parts * manifest.part_rows
            shards = Shards.beside(self.out, job=manifest.job, rows=rows, total=count)
        return Filling(
            folder=self._folder,
            shards=shards,
            shape=(count, self.views, self.backbone.dimension),
            precision=manifest.way.precision,
            part_rows=manifest.part_rows,
            batch_rows=self._batch_rows(batch_size),
        )


def _all_failed(dataset: Dataset, failures: Counter[str]) -> DataError:
    [(reason, count)] = failures.most_common(1)
    return DataError(
        f"none of the {len(dataset)} images of {dataset.name} has features",
        cause=f"{reason} ({count} images)",
        remedy="See what is wrong with `featkit data check`",
    )
