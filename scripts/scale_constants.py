"""The constants of the plan for very many images: what was measured, and what is assumed."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

BENCHMARKS = Path(__file__).parent.parent / "artifacts" / "reference" / "benchmarks"

TIMM = (
    "timm's published results, benchmark-infer-amp-nchw-pt240-cu124-rtx4090.csv (RTX 4090, fp16, "
    "forward passes on synthetic tensors)"
)


@dataclass(frozen=True)
class Network:
    """A backbone: its name for people, its features, and images/s of a GPU, not measured here."""

    name: str
    dimension: int
    gpu_rate: float


NETWORKS: Mapping[str, Network] = {
    "mobilenetv2": Network("MobileNetV2", 1280, 10_810),
    "resnet50": Network("ResNet-50", 2048, 4_218),
    "vit_small": Network("ViT-S/16", 384, 7_693),
    "vit_base": Network("ViT-B/16", 768, 2_787),
}


@dataclass(frozen=True)
class Constant:
    """A number, and where it comes from."""

    what: str
    value: float
    unit: str
    source: str
    measured: bool = False


@dataclass(frozen=True)
class Extracted:
    """What a CPU did: images/s from files to features, once under way, and their precision."""

    rate: float
    precision: str


@dataclass(frozen=True)
class Plan:
    """All constants, and the numbers asked for."""

    images: float
    gpus: tuple[int, ...]
    networks: Mapping[str, Network]
    cpus: Mapping[str, Extracted]
    cpu_cores: int
    constants: Mapping[str, Constant]
    circumstances: str

    def __getitem__(self, name: str) -> float:
        return self.constants[name].value

    def limits(self, network: Network, gpus: int) -> dict[str, float]:
        """Return what each place allows for one of so many GPUs, in images a second."""
        bytes_of_image = 1000 * self["image_kb"]
        beside = min(gpus, self["gpus_node"])
        return {
            "network": network.gpu_rate,
            "decoding": self["cores_per_gpu"] * self["decode_rate"],
            "node's network card": self["nic_gbit"] * 1e9 / 8 / bytes_of_image / beside,
            "one GET an image, s3fs": 1000 / self["s3_get_ms"],
            "one GET an image, https": 1000 / self["https_get_ms"],
        }

    def rate(self, network: Network, gpus: int) -> float:
        """Return images a second of all GPUs, from a file system or a bucket that is mounted."""
        places = ("network", "decoding", "node's network card")
        one = min(rate for place, rate in self.limits(network, gpus).items() if place in places)
        reached = self["share"] * gpus * one
        return min(reached, self["write_gb"] * 1e9 / self.row_bytes(network))

    def row_bytes(self, network: Network, itemsize: int = 2) -> float:
        """Return what an image takes in the store: features, in 16 bits on GPUs, and the rest."""
        return itemsize * network.dimension + self["row_bytes"]

    def serial_s(self) -> float:
        """Return the seconds that the driver alone works: listing before, joining after."""
        return self.images * (self["listing_us"] + self["joining_us"]) / 1e6

    def seconds(self, network: Network, gpus: int) -> float:
        """Return how long everything takes."""
        return self.images / self.rate(network, gpus) + self.serial_s()

    def price(self, network: Network, gpus: int) -> float:
        """Return what that costs in dollars; GPUs are paid while the driver works, too."""
        return gpus * self.seconds(network, gpus) / 3600 * self["gpu_price"]


def plan_of(options: argparse.Namespace) -> Plan:
    """Read what was measured, and take the rest from the options."""
    extraction = _read("extraction.json")
    scale = _read("scale.json")
    summary, machine = extraction["summary"], extraction["machine"]
    if extraction["settings"]["device"] != "cpu":
        sys.exit("extraction.json is of a GPU; the plan's rates of a CPU are not in it")
    cores = machine["cores"]
    peaks = [
        round_["featkit"]["peak_mib"]
        for name in summary
        for round_ in extraction["raw"][name]["rounds"]
        if "featkit" in round_
    ]
    networks = dict(NETWORKS)
    for name, rate in options.gpu_rate:
        networks[name] = replace(networks[name], gpu_rate=rate)
    constants = {
        "decode_rate": _decoding(extraction, options),
        "worker_gib": Constant(
            "memory of a process that extracts on a CPU",
            max(peaks) / 1024,
            "GiB",
            "extraction.json, the most of all rounds",
            measured=True,
        ),
        **_of_scale(scale, options),
        **_assumed(options),
    }
    return Plan(
        images=options.images,
        gpus=tuple(options.gpus),
        networks=networks,
        cpus={name: _extracted(extraction, name) for name in summary},
        cpu_cores=cores,
        constants=constants,
        circumstances=f"Measured {machine['date']} on {cores} cores of {machine['cpu']}, "
        f"{machine['memory_gib']} GiB; no GPU was used.",
    )


def _decoding(extraction: Mapping[str, Any], options: argparse.Namespace) -> Constant:
    what = "decoding and resizing a JPEG of 600 × 450 px, whole pixels, per core"
    if options.decode_rate is not None:
        return Constant(what, options.decode_rate, "images/s", "an option")
    some = next(iter(extraction["summary"].values()))
    rates = {way["name"]: way["rate"] for way in some["decode"]}
    cores = extraction["machine"]["cores"]
    way, words = next(
        (way, words)
        for way, words in (
            ("featkit", "featkit's own, its hash included"),
            ("simplejpeg", "a limit that featkit does not reach, as it hashes pixels too"),
        )
        if way in rates
    )
    source = f"extraction.json, `{way}` on all {cores} cores: {words}"
    return Constant(what, rates[way] / cores, "images/s", source, measured=True)


def _extracted(extraction: Mapping[str, Any], name: str) -> Extracted:
    mine = extraction["summary"][name]
    rates = mine.get("under_way") or mine["images_per_second"]
    rate = rates["featkit"]["middle"]
    facts = extraction["raw"][name]["rounds"][-1]["featkit"]["facts"]
    return Extracted(rate, facts["store"]["precision"])


CACHED = (
    "files in the machine's cache; a shared file system adds its latency for each image "
    "(`--listing-us 500`, say)"
)

TRIED: Mapping[str, tuple[float, str, str]] = {
    "listing_us": (60, "µs", "finding an image file and its checksum"),
    "joining_us": (40, "µs", "joining an image's columns after the last part"),
    "row_bytes": (35, "bytes", "an image in the store beyond its features"),
    "driver_bytes": (400, "bytes", "an image in the driver's memory"),
}
"""What benchmarks/scale.py measures, and what a first try gave or a guess has to do for."""


def _of_scale(scale: Mapping[str, Any], options: argparse.Namespace) -> dict[str, Constant]:
    """Return the constants that were given, else those that were measured, else those tried."""
    measured = _measured(scale) if scale else {}
    found = {}
    for name, (tried, unit, what) in TRIED.items():
        given = getattr(options, name)
        if given is not None:
            found[name] = Constant(what, given, unit, "an option")
        elif name in measured:
            source = f"scale.json, {CACHED}" if name == "listing_us" else "scale.json"
            found[name] = Constant(what, measured[name], unit, source, measured=True)
        else:
            source = "a first try or guess on the same CPU, until scale.json is there"
            found[name] = Constant(what, tried, unit, source)
    return found


def _measured(scale: Mapping[str, Any]) -> dict[str, float]:
    largest, stored = scale["raw"]["growing"][-1], scale["raw"]["stored"]
    facts, kept = largest["facts"], stored["facts"]
    return {
        "listing_us": 1e6 * facts["listing_s"] / largest["work"],
        "joining_us": 1e6 * facts["after_last_image_s"] / largest["work"],
        "row_bytes": (kept["bytes"] - kept["feature_bytes"]) / stored["work"],
        "driver_bytes": scale["summary"]["mib_for_another_100000"] * 2**20 / 1e5,
    }


def _assumed(options: argparse.Namespace) -> dict[str, Constant]:
    return {
        "image_kb": Constant(
            "an image file", options.image_kb, "kB", "HAM10000's originals have about as much"
        ),
        "share": Constant(
            "share of the lowest limit that is reached", options.share, "", "no GPU was measured"
        ),
        "cores_per_gpu": Constant(
            "cores for each GPU",
            options.cores_per_gpu,
            "cores",
            "192 for 8 GPUs in usual cloud machines",
        ),
        "gpus_node": Constant("GPUs in a node", options.gpus_per_node, "GPUs", "as before"),
        "nic_gbit": Constant(
            "network card of a node", options.nic_gbit, "Gbit/s", "such machines have 100 or more"
        ),
        "write_gb": Constant(
            "what a shared file system writes", options.write_gb, "GB/s", "a small one"
        ),
        "s3_get_ms": Constant(
            "a core's time for a GET by s3fs, one thread a process",
            options.s3_get_ms,
            "ms",
            "tried once against a local server",
        ),
        "https_get_ms": Constant(
            "the same by https", options.https_get_ms, "ms", "tried once against a local server"
        ),
        "gpu_gib": Constant(
            "GPU memory for batches of 256 images", options.gpu_gib, "GiB", "a guess, generous"
        ),
        "gpu_price": Constant(
            "a GPU with its cores", options.gpu_price, "$ an hour", "put in your own price"
        ),
        "core_price": Constant(
            "a core without a GPU", options.core_price, "$ an hour", "put in your own price"
        ),
    }


def _read(name: str) -> dict[str, Any]:
    path = BENCHMARKS / name
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found
