"""Scale: memory and time by the number of images, and what a store takes beyond its features."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from benchmarks.harness import (
    Measurement,
    Report,
    Script,
    Settings,
    Table,
    run_script,
    workshop,
)
from benchmarks.material import NETWORKS, SHARED, drawn_images, links, weights_folder

__all__ = ["run"]

_TINY = "featkit:tiny"
_COUNTS, _QUICK_COUNTS = (10_000, 20_000, 50_000, 100_000, 200_000), (200, 400)
_STORED, _QUICK_STORED = 10_000, 200
_STORED_SIZE = 32
"""Pixels of the images of which a store is made to weigh it: features are the same in number."""


def run(settings: Settings) -> Report:
    """Measure extraction at growing numbers of images, once each."""
    report = Report("scale", {"quick": settings.quick, "device": settings.device})
    with workshop() as work:
        counts = _QUICK_COUNTS if settings.quick else _COUNTS
        growing = [_extract(settings, work, count, _TINY) for count in counts]
        stored = _QUICK_STORED if settings.quick else _STORED
        weights, _ = weights_folder(NETWORKS["mobilenetv2"], work)
        heavy = _extract(settings, work, stored, f"local-dir:{weights}", size=_STORED_SIZE)
    report.raw["growing"] = [each.to_dict() for each in growing]
    report.raw["stored"] = heavy.to_dict()
    report.tables += [_growth_table(growing), _store_table([growing[-1], heavy])]
    report.summary.update(
        peak_mib={f"{each.work:.0f}": each.peak_mib for each in growing},
        images_per_second={f"{each.work:.0f}": each.rate for each in growing},
        listing_seconds={f"{each.work:.0f}": _listing(each) for each in growing},
        mib_for_another_100000=_slope(
            [each.work for each in growing], [e.peak_mib for e in growing]
        ),
        store_overhead=_overhead(heavy),
        after_last_image=_assembly(heavy),
    )
    report.plots["scale.png"] = lambda path: _plot(growing, path)
    return report


def _extract(
    settings: Settings, work: Path, count: int, backbone: str, *, size: int | None = None
) -> Measurement:
    images, out = work / f"many-{count}", work / f"{count}.h5"
    settings.watcher.begins(f"{count:,} images")
    sources = _sources(work)
    for source in sources:
        source.read_bytes()
    links(sources, count, images)
    arguments = {
        "images": str(images),
        "backbone": backbone,
        "image_size": size,
        "out": str(out),
        "device": settings.device,
    }
    measured = run_script(Script("extract_scale", arguments))
    settings.watcher.ended(f"{count:,}", backbone.rpartition("/")[2], measured)
    out.unlink()
    shutil.rmtree(images)
    return measured


def _sources(work: Path) -> list[Path]:
    """Return small photographs, 200 x 150 px, real ones as many as there are.

    The more of them differ, the less compression can save on the hashes of their pixels.
    """
    real = sorted((SHARED / "ham10000").rglob("*.jpg"))
    return real or drawn_images(work / "small", (200, 150))


def _growth_table(growing: Sequence[Measurement]) -> Table:
    least = min(each.peak_mib for each in growing)
    return Table(
        title="Extraction by the number of images",
        columns=[
            "images",
            "seconds",
            "images/s",
            "listing, s",
            "peak memory, MiB",
            "above the least",
        ],
        rows=[
            [
                f"{each.work:,.0f}",
                f"{each.seconds:,.1f}",
                f"{each.rate:,.0f}",
                f"{_listing(each):.1f}",
                f"{each.peak_mib:,.0f}",
                f"{100 * (each.peak_mib / least - 1):+.1f}%",
            ]
            for each in growing
        ],
        notes=[
            f"{_TINY}, JPEG files of 200 x 150 px, each number once, in a process of its own. Peak "
            "memory is that of the whole process: libraries, the network, and the table of ids, "
            "which grows with the images. Listing is finding the files and their checksums, before "
            "the first image.",
        ],
    )


def _store_table(stores: Sequence[Measurement]) -> Table:
    return Table(
        title="The store beyond its features",
        columns=[
            "images",
            "features",
            "bytes beyond N x D x itemsize",
            "time after the last image",
        ],
        rows=[
            [
                f"{each.work:,.0f}",
                f"{each.facts['dimension']} {each.facts['dtype']}",
                f"{100 * _overhead(each):.2f}%",
                f"{100 * _assembly(each):.2f}%",
            ]
            for each in stores
        ],
        notes=[
            "Beyond the features lie ids, labels, groups, hashes of pixels and what says how they "
            "were made. After the last image the parts are joined and the file is checked; the "
            "rest of the writing goes on beside the network.",
        ],
    )


def _overhead(measured: Measurement) -> float:
    facts = measured.facts
    return cast(float, facts["bytes"]) / cast(float, facts["feature_bytes"]) - 1


def _assembly(measured: Measurement) -> float:
    return cast(float, measured.facts["after_last_image_s"]) / measured.seconds


def _listing(measured: Measurement) -> float:
    return cast(float, measured.facts["listing_s"])


def _slope(counts: Sequence[float], peaks: Sequence[float]) -> float:
    """Return how many MiB 100,000 further images take, by least squares."""
    return float(np.polyfit(np.asarray(counts) / 100_000, peaks, 1)[0])


def _plot(growing: Sequence[Measurement], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    memory, clock = figure.subplots(1, 2)
    counts = [each.work / 1000 for each in growing]
    peaks, seconds = [e.peak_mib for e in growing], [e.seconds for e in growing]
    least, most = min(peaks), max(counts)
    for axes, label, values, ideal in (
        (memory, "peak memory, MiB", peaks, [least, least]),
        (clock, "seconds", seconds, [0, seconds[-1]]),
    ):
        axes.plot([0, most], ideal, color="0.6", linestyle="--", linewidth=1)
        axes.plot(counts, values, marker="o")
        axes.set(xlabel="thousand images", ylabel=label)
        axes.set(xlim=(0, 1.05 * most), ylim=(0, 1.15 * max(values)))
        axes.grid(alpha=0.3)
    memory.set_title("dashed: as flat as the least", fontsize="small")
    clock.set_title("dashed: in proportion to the last", fontsize="small")
    figure.savefig(path, dpi=150)
