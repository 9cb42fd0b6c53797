"""Advice: what limits a machine, and what to do about it, in plain sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from featkit.naming import duration
from featkit.speed.findings import BackboneSpeed, Findings, WaySpeed

__all__ = ["advice"]

_CLEARLY = 1.15
"""Times as fast that are worth a word."""


def advice(findings: Findings) -> list[str]:
    """Return what the findings mean, the bottleneck first."""
    return [
        _bottleneck(findings),
        *(_beside(findings) if findings.beside else _on_cores(findings)),
        *_left(findings),
        *_untried(findings),
    ]


def _bottleneck(findings: Findings) -> str:
    decoding = [each for each in findings.backbones if _waits(findings, each)]
    network = [each for each in findings.backbones if each not in decoding]
    both = (("the network", network), ("decoding", decoding))
    parts = [(what, speeds) for what, speeds in both if speeds]
    told = " and ".join(
        what if len(parts) == 1 else f"{what} for {_labels(findings, speeds)}"
        for what, speeds in parts
    )
    return f"{'What decides is' if findings.beside else 'Most of the time goes to'} {told}."


def _waits(findings: Findings, speed: BackboneSpeed) -> bool:
    return findings.decode_share(speed) > 1 / 2


def _labels(findings: Findings, speeds: Sequence[BackboneSpeed]) -> str:
    return ", ".join(map(findings.label, speeds))


def _beside(findings: Findings) -> list[str]:
    waiting = [each for each in findings.backbones if _waits(findings, each)]
    if not waiting:
        return ["More cores change nothing: the GPU is busy. Several GPUs share the work."]
    worst = max(waiting, key=findings.decode_share)
    if findings.decoder == "gpu":
        return ["The GPU decodes more slowly than it computes. Several GPUs share the work."]
    cores = math.ceil(findings.workers * worst.taken.rate.middle / worst.decode.middle)
    return [
        f"The GPU waits for decoding; {findings.label(worst)} would keep {cores} cores busy. An "
        "NVIDIA GPU can decode JPEG files itself: see what `featkit bench --decoder gpu` says."
    ]


def _on_cores(findings: Findings) -> list[str]:
    sentences = []
    if not findings.openvino:
        sentences.append(
            "OpenVINO is not installed; it is often faster: pip install 'featkit[openvino]'."
        )
    least = min(findings.images / each.decode.middle for each in findings.backbones)
    sentences.append(
        "More cores help in proportion. A GPU would compute while the cores decode: "
        f"{findings.images:,} images would then take {duration(least)}, which is decoding alone, "
        "or what the GPU needs."
    )
    return sentences


def _left(findings: Findings) -> list[str]:
    """Say why faster ways are left alone."""
    told = [
        f"{findings.label(speed)} {way.rate.middle / speed.taken.rate.middle:.1f} times as fast"
        for speed, way in _faster(findings)
        if way.faithfulness is not None and not way.faithfulness.is_given
    ]
    if not told:
        return []
    return [
        f"bf16 would make the network of {', '.join(told)}, but changes the features too much; "
        "`--precision bf16` takes it all the same."
    ]


def _untried(findings: Findings) -> list[str]:
    """Say what reduced precision would do with random weights, of which nothing follows."""
    told = [
        f"{findings.label(speed)} {duration(findings.images / findings.estimate(speed, way))}"
        for speed, way in _faster(findings)
        if speed.random_weights
    ]
    if not told:
        return []
    return [
        "bf16 is faster, and taken if the trained weights bear it, which `extract` finds out: "
        f"{', '.join(told)}."
    ]


def _faster(findings: Findings) -> Iterator[tuple[BackboneSpeed, WaySpeed]]:
    """Yield the backbones that reduced precision would make clearly faster, and that way."""
    for speed in findings.backbones:
        way = max(speed.ways, key=lambda way: way.rate.middle)
        if way.precision != "fp32" and way.rate.middle > _CLEARLY * speed.taken.rate.middle:
            yield speed, way
