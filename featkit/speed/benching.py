"""Measuring a machine: decoding alone, each backbone's ways of computing alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from featkit.backbones import load_backbone, weights_at_hand
from featkit.data import Dataset
from featkit.errors import DataError, UsageError
from featkit.features.rehearsal import TriedWay, has_openvino, rehearsed
from featkit.hardware.devices import available_cores, device_name, resolve_devices
from featkit.progress import NoProgress, Progress
from featkit.speed._drawn import drawn_photographs
from featkit.speed.findings import BackboneSpeed, Findings, WaySpeed
from featkit.speed.rate import measured

__all__ = ["USUAL", "bench"]

USUAL = (
    "timm:mobilenetv2_100.ra_in1k",
    "timm:resnet50.a1_in1k",
    "timm:vit_small_patch16_224.augreg_in21k_ft_in1k",
    "timm:vit_base_patch16_224.augreg2_in21k_ft_in1k",
)
"""Backbones of the usual sizes."""

_IMAGES = 10_000
"""For so many are times told where there is no data set."""

_STEPS = 4
"""Of each backbone: time decoding, try its ways, time them, time one together with decoding."""


def bench(
    dataset: Dataset | None = None,
    backbones: Sequence[str] = USUAL,
    *,
    images: int | None = None,
    device: str = "auto",
    image_size: int | None = None,
    views: int = 1,
    workers: int | None = None,
    decoder: str = "cpu",
    progress: Progress | None = None,
) -> Findings:
    """Measure what this machine can do, and tell how long extraction would take.

    Decoding and each way of computing run alone for a few seconds, then decoding and the way that
    is taken together. Which ways there are, what they do to the features, and which one is taken
    is found as `extract` finds it. Nothing is downloaded: a backbone whose weights are not on this
    machine gets random ones, which take as long. What reduced precision does to the trained ones
    is then unknown, and only fp32 is taken.

    Args:
        dataset: The images; drawn photographs of a usual size where it is None.
        backbones: As `load_backbone` takes them.
        images: How many images to tell the time for; all of the data set by default.
        device: As for `extract`.
        image_size: Side of the networks' input in pixels; None for each one's own.
        views: Views of each image.
        workers: Threads that decode; None for one for each core.
        decoder: Who decodes images (see `load_backbone`).
        progress: Who listens; nobody where it is None.

    Raises:
        UsageError: An option that cannot be meant, or a device that is not there.
        DataError: The data set is empty, or no image tried can be read.
        BackboneError: A backbone is unknown, or does not fit into memory.
    """
    _check(images=images, views=views, workers=workers)
    if not backbones:
        raise UsageError(
            "no backbones", cause="there is nothing to measure", remedy="Name one, or leave it out"
        )
    absent = [not weights_at_hand(spec) for spec in backbones]  # unknown names show at once
    devices = resolve_devices(device)
    progress = progress or NoProgress()
    with _photographs(dataset, progress) as photographs:
        measuring = _Measuring(
            dataset=photographs,
            devices=devices,
            images=images or (_IMAGES if dataset is None else len(photographs)),
            image_size=image_size,
            views=views,
            workers=workers or available_cores(),
            decoder=decoder,
            progress=progress,
        )
        progress.start("measuring", total=_STEPS * len(backbones), unit="steps")
        try:
            speeds = tuple(map(measuring.speed, backbones, absent))
        finally:
            progress.finish()
    return Findings(
        device=device_name(devices[0]),
        beside=devices[0].type != "cpu",
        devices=len(devices),
        workers=measuring.workers,
        openvino=has_openvino(),
        dataset=photographs.name,
        images=measuring.images,
        views=views,
        decoder=decoder,
        backbones=speeds,
    )


def _check(**numbers: int | None) -> None:
    for option, value in numbers.items():
        if value is not None and value < 1:
            raise UsageError(
                f"{option} {value}",
                cause="this value cannot be meant",
                remedy="Use a whole number from 1 on",
            )


@contextmanager
def _photographs(dataset: Dataset | None, progress: Progress) -> Iterator[Dataset]:
    if dataset is None:
        with TemporaryDirectory(prefix="featkit-bench-") as folder:
            yield drawn_photographs(Path(folder), progress)
    elif len(dataset):
        yield dataset
    else:
        raise DataError(
            f"{dataset.name} has no images",
            cause="the table is empty",
            remedy="See what was found with `featkit data check`",
        )


@dataclass(frozen=True, eq=False)
class _Measuring:
    """What all backbones are measured with (see `bench`)."""

    dataset: Dataset
    devices: Sequence[torch.device]
    images: int
    image_size: int | None
    views: int
    workers: int
    decoder: str
    progress: Progress

    def speed(self, spec: str, random_weights: bool) -> BackboneSpeed:
        """Measure one backbone."""
        start = time.perf_counter()
        backbone = load_backbone(
            spec,
            image_size=self.image_size,
            random_weights=random_weights,
            decoder=self.decoder,
        )
        loaded_s = time.perf_counter() - start
        with rehearsed(
            self.dataset,
            backbone,
            self.devices,
            images=self.images,
            views=self.views,
            workers=self.workers,
        ) as rehearsal:
            decode = measured(rehearsal.decoded())
            self.progress.advance(1, note=backbone.name)
            tried = list(rehearsal.ways())
            self.progress.advance(1, note=backbone.name)
            taken = _taken(tried, sure=random_weights)
            ways = tuple(
                WaySpeed(
                    precision=way.precision,
                    runtime=way.runtime,
                    rate=measured(way.computed()),
                    faithfulness=None if random_weights else way.faithfulness,
                    taken=way is taken,
                )
                for way in tried
            )
            self.progress.advance(1, note=backbone.name)
            together = measured(taken.extracted(), long=True)
            self.progress.advance(1, note=backbone.name)
        found = taken if taken.better else tried[-1]
        return BackboneSpeed(
            spec=backbone.spec,
            name=backbone.name,
            architecture=backbone.architecture,
            random_weights=random_weights,
            image_size=backbone.preprocessing.crop,
            decode=decode,
            ways=ways,
            together=together,
            ready_s=loaded_s + found.known_s,
        )


def _taken(tried: Sequence[TriedWay], *, sure: bool) -> TriedWay:
    """Return the way that `extract` takes; where only `sure` ones count, without bf16."""
    able = (way for way in tried if way.better and not (sure and way.precision != "fp32"))
    return next(able, tried[0])
