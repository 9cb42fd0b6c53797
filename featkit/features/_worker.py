"""A worker of the Ray cluster: makes the parts that it is told to, where all workers see them."""

from __future__ import annotations

import os
import socket
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from featkit.backbones.backbone import Backbone
from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset, ImageSource
from featkit.errors import StoreError
from featkit.features._choosing import Faithfulness
from featkit.features._crew import Crew
from featkit.features._filling import Filling, failed
from featkit.features._forward import placed
from featkit.features._loading import loader_of
from featkit.features._making import make_parts
from featkit.features._networks import Way
from featkit.features._parts import PartFolder
from featkit.features._station import Station
from featkit.features._trial import Sample
from featkit.hardware.devices import device_name, keep_to_cores
from featkit.hardware.memory import freed_memory_kept
from featkit.hardware.sharing import SharedFolder
from featkit.provenance import software_versions

__all__ = ["Joined", "Made", "Orders", "Worker", "orders_of"]

_SAMPLE = 8
"""Images by which a worker tells that it sees the same ones."""

_VERSIONS = ("torch", "timm", "openvino")
"""What features depend on beside featkit."""

_DECODING, _ABSENT = "torchcodec", "not at all"


@dataclass(frozen=True, eq=False)
class Orders:
    """What a worker must know of an extraction before it takes part.

    Attributes:
        filling: What is to be made, by absolute paths.
        folder: Where parts come, as it is seen where the command was given.
        way: How features are computed.
        batch_size: Images in the network at once, to begin with.
        home: The folder that relative paths are relative to.
        sample: A few of the images.
        signatures: Theirs, as they are where the command was given.
        versions: Of the software there.
    """

    filling: Filling
    folder: SharedFolder
    way: Way
    batch_size: int
    home: Path
    sample: ImageSource
    signatures: Sequence[str]
    versions: Mapping[str, str]


def orders_of(
    filling: Filling,
    images: ImageSource,
    way: Way,
    batch_size: int,
    folder: SharedFolder,
    *,
    decoder: str,
) -> Orders:
    """Return the orders for an extraction whose images `decoder` decodes."""
    parts = PartFolder(filling.folder.path.absolute())
    shards = filling.shards and replace(filling.shards, folder=filling.shards.folder.absolute())
    rows = np.unique(np.linspace(0, len(images) - 1, _SAMPLE).astype(np.intp))
    return Orders(
        filling=replace(filling, folder=parts, shards=shards),
        folder=folder,
        way=way,
        batch_size=batch_size,
        home=Path.cwd(),
        sample=images.select(rows),
        signatures=[images.signature(int(row)) for row in rows],
        versions=_versions(_DECODING) if decoder == "gpu" else _versions(),
    )


@dataclass(frozen=True)
class Joined:
    """A worker that is ready.

    Attributes:
        host: The machine's name.
        device: The device's name for people.
    """

    host: str
    device: str


@dataclass(frozen=True)
class Made:
    """A part that is there.

    Attributes:
        part: Its number.
        failures: How many of its rows failed, by reason.
        batch_size: Images in the network at once, by now.
    """

    part: int
    failures: Counter[str]
    batch_size: int


class Worker:
    """One process with one device; nothing of it grows with the number of images.

    Args:
        device: Which device; a GPU is the first one that this process sees.
        cores: How many cores are its own.
        workers: Threads that decode.
    """

    def __init__(self, device: torch.device, cores: int, workers: int) -> None:
        self._device, self._cores, self._workers = device, cores, workers
        self._for_life = ExitStack()
        self._station: Station | None = None
        self._orders: Orders
        self._crew: Crew
        self._preprocessing: Preprocessing

    def here(self) -> None:
        """Do nothing: that this returns tells that the worker is there."""

    def choose(
        self, backbone: Backbone, precision: str, sample: Sample, batch_size: int
    ) -> tuple[Way, Faithfulness | None]:
        """Choose how to compute (see `choose_way`)."""
        return self._begun(backbone).choose(precision, sample, batch_size)

    def join(self, backbone: Backbone, orders: Orders) -> Joined:
        """Make ready for an extraction.

        Raises:
            StoreError: The folder of parts is not seen from here, or cannot be written; other
                images or other software are.
        """
        _check_versions(orders)
        orders.folder.check()
        # Images may be named relative to where the command was given.
        with suppress(OSError):
            os.chdir(orders.home)
        _check_images(orders)
        self._orders = orders
        self._crew = self._begun(backbone).crew(orders.way, orders.batch_size)
        self._preprocessing = backbone.preprocessing
        return Joined(socket.gethostname(), device_name(self._device))

    def make(self, parts: range, images: Dataset, views: int) -> Iterator[Made]:
        """Make what is missing of successive parts, and tell of each when it is there.

        Args:
            parts: Their numbers.
            images: Their rows.
            views: Views of each image.
        """
        crew, filling = self._crew, self._orders.filling
        stretch = filling.survey(parts)
        for index, failures in stretch.found.items():
            yield Made(index, failures, crew.batch_size)
        if stretch.closed:
            return
        loader = loader_of(
            images,
            self._preprocessing,
            views=views,
            workers=self._workers,
            devices=(self._device,),
            allocate=crew.buffer,
        )
        first = filling.rows_of(parts).start
        made = make_parts(filling, [stretch], loader, crew, told=_told_nobody, first_row=first)
        for index, part in made:
            yield Made(index, failed(part.reason), crew.batch_size)

    def _begun(self, backbone: Backbone) -> Station:
        # Not in __init__: of an error there Ray tells only that the worker died of it.
        if self._station is None:
            keep_to_cores(self._cores)
            self._for_life.enter_context(freed_memory_kept())
            self._for_life.enter_context(placed(backbone, self._device))
            self._station = Station(backbone, (self._device,))
        return self._station


def _told_nobody(_failures: Counter[str], _rows: int) -> None:
    """Parts are told of when they are written, not batch by batch."""


def _versions(*needed: str) -> dict[str, str]:
    """Return the versions of software, of what is needed also where it is absent."""
    return dict.fromkeys(needed, _ABSENT) | software_versions((*_VERSIONS, *needed))


def _check_versions(orders: Orders) -> None:
    here = _versions(_DECODING)
    other = [name for name, version in orders.versions.items() if here.get(name) != version]
    if other:
        name = other[0]
        raise StoreError(
            f"{socket.gethostname()} has {name} {here.get(name, _ABSENT)}, "
            f"the command {orders.versions[name]}",
            cause="features made there need not be the same",
            remedy="Install the same versions on all machines of the cluster",
        )


def _check_images(orders: Orders) -> None:
    here = [orders.sample.signature(row) for row in range(len(orders.sample))]
    if here != list(orders.signatures):
        raise StoreError(
            f"{socket.gethostname()} does not see the same images",
            cause="they are missing there, or others have their names",
            remedy="Put them where all machines of the cluster see them under the same path",
        )
