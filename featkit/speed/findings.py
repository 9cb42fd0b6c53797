"""Findings: what was measured, and what follows from it for a number of images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from featkit.features.rehearsal import Faithfulness
from featkit.speed.rate import Rate

__all__ = ["BackboneSpeed", "Findings", "WaySpeed"]


@dataclass(frozen=True)
class WaySpeed:
    """How fast a way of computing is, and what it does to features.

    Attributes:
        precision: `fp32` or `bf16`.
        runtime: What runs the network.
        rate: Images a second, the network alone.
        faithfulness: What it did to images of the data set; None where that is unknown: the
            weights are random, or the images too few.
        taken: Whether `featkit extract` takes it.
    """

    precision: str
    runtime: str
    rate: Rate
    faithfulness: Faithfulness | None
    taken: bool


@dataclass(frozen=True)
class BackboneSpeed:
    """How fast a backbone is.

    Attributes:
        spec: As resolved.
        name: A short name (see `Backbone`).
        architecture: The network's name in its library.
        random_weights: Whether the weights are random ones, because none are on this machine.
        image_size: Height and width of the network's input, in pixels.
        decode: Images a second, decoding and resizing alone.
        ways: Ways of computing; one is taken.
        together: Images a second, decoding and the way that is taken at the same time.
        ready_s: Seconds to load the network, to search a way and to make it ready.
    """

    spec: str
    name: str
    architecture: str
    random_weights: bool
    image_size: tuple[int, int]
    decode: Rate
    ways: tuple[WaySpeed, ...]
    together: Rate
    ready_s: float

    @property
    def taken(self) -> WaySpeed:
        """The way that `featkit extract` takes."""
        return next(way for way in self.ways if way.taken)


@dataclass(frozen=True)
class Findings:
    """What a machine can do.

    Attributes:
        device: Its name for people.
        beside: Whether the device computes beside the cores that decode (a GPU), or on them.
        devices: How many such devices work together.
        workers: Threads that decode.
        openvino: Whether OpenVINO is installed.
        dataset: Whose images were used.
        images: How many images the times are for.
        views: Views of each, counted in all rates.
        decoder: Who decodes: `cpu` or `gpu`.
        backbones: What was measured.
    """

    device: str
    beside: bool
    devices: int
    workers: int
    openvino: bool
    dataset: str
    images: int
    views: int
    decoder: str
    backbones: tuple[BackboneSpeed, ...]

    def label(self, speed: BackboneSpeed) -> str:
        """Return the shortest name that tells a backbone from the others."""
        same = [each for each in self.backbones if each.architecture == speed.architecture]
        return speed.architecture if len(same) == 1 else speed.name

    def estimate(self, speed: BackboneSpeed, way: WaySpeed) -> float:
        """Return how many images a second would go from files to features another way.

        Where decoding and network share the cores, their times for an image add up; a GPU
        computes while the cores decode, so the slower one decides. That holds where threads do
        not wait for each other; PyTorch's do on a CPU, so the way that is taken is measured.

        Args:
            speed: Of a backbone.
            way: How it computes.
        """
        decode, forward = speed.decode.middle, way.rate.middle
        return min(decode, forward) if self.beside else 1 / (1 / decode + 1 / forward)

    def seconds(self, speed: BackboneSpeed) -> float:
        """Return how long all images take, making the network ready counted in."""
        return speed.ready_s + self.images / speed.together.middle

    def decode_share(self, speed: BackboneSpeed) -> float:
        """Return what decoding takes of the time of decoding and network."""
        forward = speed.taken.rate.middle
        return forward / (speed.decode.middle + forward)

    def to_dict(self) -> dict[str, object]:
        """Return everything, and what follows from it, JSON-like."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "backbones"},
            "backbones": [self._told(speed) for speed in self.backbones],
        }

    def _told(self, speed: BackboneSpeed) -> Mapping[str, object]:
        return {
            **asdict(speed),
            "expected_seconds": self.seconds(speed),
            "decode_share": self.decode_share(speed),
        }
