"""What the machine allows at all: decoding alone and forward passes alone, by the best way each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from benchmarks.contenders.stopwatch import cores
from benchmarks.extraction.job import Job
from benchmarks.harness import Contender, Measurement, Script, run_script
from featkit import FeatkitError

__all__ = [
    "DECODE",
    "FAITHFUL_DECODE",
    "FAITHFUL_FORWARDS",
    "FORWARD",
    "Explored",
    "Limits",
    "allowed_rate",
    "explore",
    "limit_contenders",
]

DECODE, FORWARD = "limit: decode", "limit: forward"
FAITHFUL_DECODE = "limit: decode faithfully"
FAITHFUL_FORWARDS: Mapping[str, str] = MappingProxyType(
    {precision: f"limit: forward, {precision}" for precision in ("fp32", "bf16")}
)
"""Names of the limit by precision: which one is faithful, featkit finds out in each round."""

_WAYS = ("pillow", "simplejpeg", "simplejpeg scaled", "simplejpeg half", "opencv half")
_WHOLE = ("pillow", "simplejpeg")
"""Ways that decode all pixels."""
_GPU_WAY, _OWN_WAY = "nvjpeg", "featkit"
_DECODERS: Mapping[str, str] = MappingProxyType(
    {_GPU_WAY: "limit_decode_gpu", _OWN_WAY: "limit_decode_featkit"}
)
"""Ways to decode that have a script of their own."""
_PRECISIONS = ("fp32", "bf16", "bf16-compiled", "fp32-openvino", "bf16-openvino")
_OPENVINO = "-openvino"
_QUICK_WAYS, _QUICK_PRECISIONS = ("pillow", "simplejpeg half"), ("fp32", "bf16")
_BATCH = {"cpu": 32, "cuda": 256}

_KEPT_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**31 - 1)}
"""glibc otherwise gives large memory back to the system, which clears it anew for the next use."""


@dataclass(frozen=True)
class Explored:
    """One way to do a part of the work, tried once.

    Attributes:
        name: The way to decode, or the precision.
        rate: Images a second, all cores.
        core_rate: Images a second of one core alone; None where it was not tried.
    """

    name: str
    rate: float
    core_rate: float | None = None


@dataclass(frozen=True)
class Limits:
    """All ways that were tried.

    Attributes:
        decode: Ways to decode.
        forward: Precisions of the network, and what ran it.
        failed: Ways that do not work on this machine, and why.
    """

    decode: Sequence[Explored]
    forward: Sequence[Explored]
    failed: Sequence[str]


def explore(job: Job, seconds: float) -> Limits:
    """Try all ways once, each for about `seconds`."""
    quick, watcher = job.settings.quick, job.settings.watcher
    failed: list[str] = []
    decode: list[Explored] = []
    forward: list[Explored] = []
    for way in (*(_QUICK_WAYS if quick else _WAYS), _OWN_WAY):
        watcher.begins(f"decoding: {way}")
        one = _decode(job, way, 1, _some(seconds, 60))
        rate = _decode(job, way, cores(), _some(seconds, one.rate * cores())).rate
        decode.append(Explored(way, rate, one.rate))
        watcher.notes(f"decode {way}: {one.rate:,.0f}/s on one core, {rate:,.0f}/s on all")
    ways: list[tuple[list[Explored], str, Callable[[], Measurement]]] = [
        (forward, precision, partial(_forward, job, precision, seconds))
        for precision in (_QUICK_PRECISIONS if quick else _PRECISIONS)
        if job.settings.device == "cpu" or not precision.endswith(_OPENVINO)
    ]
    if job.settings.device == "cuda":
        some = _some(seconds, 4 * max(each.rate for each in decode))
        ways.append((decode, _GPU_WAY, partial(_decode, job, _GPU_WAY, cores(), some)))
    for found, name, measure in ways:
        watcher.begins(name)
        try:
            found.append(Explored(name, measure().rate))
        except FeatkitError as error:
            failed.append(f"{name}: {error}")
        else:
            watcher.notes(f"{name}: {found[-1].rate:,.0f}/s")
    return Limits(decode, forward, failed)


def limit_contenders(job: Job, limits: Limits, seconds: float) -> list[Contender]:
    """Return the fastest ways as contenders: of all, of whole pixels, and of each precision.

    Args:
        job: The network.
        limits: What was tried.
        seconds: How long each is to take.
    """
    others = [each for each in limits.decode if each.name != _OWN_WAY]
    whole = [each for each in others if each.name in _WHOLE]
    exact = {
        name: [each for each in limits.forward if each.name.partition("-")[0] == precision]
        for precision, name in FAITHFUL_FORWARDS.items()
    }
    return [
        _decoding(job, DECODE, others, seconds),
        _forwarding(job, FORWARD, limits.forward, seconds),
        _decoding(job, FAITHFUL_DECODE, whole, seconds),
        *(_forwarding(job, name, ways, seconds) for name, ways in exact.items() if ways),
    ]


def _decoding(job: Job, name: str, ways: Sequence[Explored], seconds: float) -> Contender:
    best = max(ways, key=lambda each: each.rate)
    return Contender(
        name, lambda number: _decode(job, best.name, cores(), number), _some(seconds, best.rate)
    )


def _forwarding(job: Job, name: str, ways: Sequence[Explored], seconds: float) -> Contender:
    best = max(ways, key=lambda each: each.rate)
    return Contender(name, lambda _: _forward(job, best.name, seconds), 1)


def allowed_rate(decode: Measurement, forward: Measurement, device: str) -> float:
    """Return how many images a second the machine allows.

    On a CPU both parts share the cores, so their times for an image add up; a GPU computes while
    the CPU decodes, so the slower one decides. Both are measured with all cores at work.

    Args:
        decode: Of decoding alone.
        forward: Of forward passes alone.
        device: Where those ran.
    """
    if device == "cpu":
        return 1 / (1 / decode.rate + 1 / forward.rate)
    return min(decode.rate, forward.rate)


def _some(seconds: float, rate: float) -> int:
    return max(cores(), round(seconds * rate))


def _decode(job: Job, way: str, workers: int, number: int) -> Measurement:
    arguments = {
        "images": str(job.images(number)),
        "way": way,
        "resize": job.resize,
        "crop": job.crop,
        "workers": workers,
    }
    script = _DECODERS.get(way, "limit_decode")
    return run_script(Script(script, arguments, environment=_KEPT_MEMORY))


def _forward(job: Job, way: str, seconds: float) -> Measurement:
    arguments = {
        "weights": str(job.weights),
        "precision": way.removesuffix(_OPENVINO),
        "batch": _BATCH[job.settings.device],
        "seconds": seconds,
        "device": job.settings.device,
    }
    script = "limit_forward_openvino" if way.endswith(_OPENVINO) else "limit_forward"
    environment = {**job.environment, **_KEPT_MEMORY}
    return run_script(Script(script, arguments, environment=environment))
