"""Extraction: a data set's images through a backbone into a feature file, once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from featkit.errors import DataError, UsageError
from featkit.features.store import FeatureStore
from featkit.progress import NoProgress, Progress

if TYPE_CHECKING:
    from featkit.backbones.backbone import Backbone
    from featkit.data.dataset import Dataset
    from featkit.features._engine import Engine

__all__ = ["ENGINES", "PRECISIONS", "extract"]

ENGINES = ("local", "ray")
"""Who can compute: this process, or the workers of a Ray cluster."""

PRECISIONS = ("auto", "fp32", "bf16", "fp16")
"""What the network may compute in."""


def extract(
    dataset: Dataset,
    backbone: Backbone,
    out: str | Path,
    *,
    batch_size: int | Literal["auto"] = "auto",
    device: str = "auto",
    precision: str = "auto",
    views: int = 1,
    workers: int | None = None,
    fresh: bool = False,
    engine: str = "local",
    progress: Progress | None = None,
) -> FeatureStore:
    """Write the features of all images to `out`, and return the store.

    Work in progress lies in `OUT.parts/`; the same call continues it after any interruption, and
    then leaves what an uninterrupted one would have left. A finished store of the same features
    is returned at once. Memory does not grow with the number of images (the table's columns
    apart). Images that cannot be read are listed under `failures`; their rows stay. The features of
    more than two million images (times views) are kept in shards, in `OUT.shards/`.

    Args:
        dataset: The images.
        backbone: What makes features of them.
        out: The file to write.
        batch_size: Images in the network at once, or `auto` by device. Halved while memory does
            not suffice.
        device: `auto` (the fastest there is), `cpu`, `cuda`, `cuda:N` or `mps`. Of several GPUs of
            one kind `auto` and `cuda` take all, with a batch on each in turn.
        precision: `fp32`, `bf16`, `fp16`, or `auto`: bf16 where the hardware has it, it is
            clearly faster on images of this data set, and leaves their features as they are
            (cosine .999 or more, relative error 2% or less); else fp32. Reduced precisions are
            stored as float16, fp32 as float32. By the same measure, a large job on a CPU is run
            by OpenVINO where that is installed.
        views: Views of each image: the plain one, and mild variations beside it.
        workers: Threads that decode; None for one for each core.
        fresh: Make the features again whatever is there; what is there is replaced when the new
            file is whole.
        engine: `local`, or `ray` for the cluster that RAY_ADDRESS names (for this machine where it
            names none). What one engine has begun another one continues.
        progress: Who listens; nobody where it is None.

    Raises:
        UsageError: An option that cannot be meant, or a device or cluster that is not there; the
            backbone's images are to be decoded by a GPU, and there is none.
        DataError: The data set is empty, or none of its images can be read.
        StoreError: `out` or its parts hold other features (the error names the difference), is
            being written by another process, or cannot be written.
        BackboneError: A single image does not fit into memory.
    """
    _check(precision in PRECISIONS, f"--precision {precision}", f"Use {', '.join(PRECISIONS)}")
    _check(engine in ENGINES, f"--engine {engine}", f"Use {' or '.join(ENGINES)}")
    _check_count("--views", views)
    if batch_size != "auto":
        _check_count("--batch-size", batch_size)
    if workers is not None:
        _check_count("--workers", workers)
    if not len(dataset):
        raise DataError(
            f"{dataset.name} has no images",
            cause="the table is empty",
            remedy="See what was found with `featkit data check`",
        )
    # torch and its like are imported here, so that reading features needs none of them.
    from featkit.features._job import Job

    job = Job(
        dataset=dataset,
        backbone=backbone,
        out=Path(out),
        batch_size=None if batch_size == "auto" else batch_size,
        precision=precision,
        views=views,
        fresh=fresh,
        engine=_engine(engine, dataset, backbone, device=device, views=views, workers=workers),
        progress=progress or NoProgress(),
    )
    return job.run()


def _engine(
    engine: str,
    dataset: Dataset,
    backbone: Backbone,
    *,
    device: str,
    views: int,
    workers: int | None,
) -> Engine:
    """Return who computes."""
    if engine == "ray":
        from featkit.features._cluster import RayEngine

        return RayEngine(dataset, backbone, device=device, views=views, workers=workers)
    from featkit.features._local import LocalEngine
    from featkit.hardware.devices import available_cores, resolve_devices

    devices, threads = resolve_devices(device), workers or available_cores()
    return LocalEngine(dataset, backbone, devices=devices, views=views, workers=threads)


def _check(right: bool, what: str, remedy: str) -> None:
    if not right:
        raise UsageError(what, cause="this value cannot be meant", remedy=remedy)


def _check_count(option: str, value: int) -> None:
    _check(value >= 1, f"{option} {value}", "Use a whole number from 1 on")
