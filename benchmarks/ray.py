"""The Ray engine beside the local one on one machine, and beside a pipeline of Ray Data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from benchmarks.harness import (
    Absent,
    Contender,
    Measurement,
    Report,
    Round,
    Script,
    Settings,
    Spread,
    Table,
    alternate,
    ratios,
    run_script,
    under_way,
    workshop,
)
from benchmarks.material import NETWORKS, image_folder, weights_folder

__all__ = ["run"]

_LOCAL, _RAY, _PIPELINE = "local engine", "ray engine", "Ray Data pipeline"
_IMAGES, _QUICK_IMAGES = 4096, 600
_NEEDED = {_RAY: ("ray",), _PIPELINE: ("ray", "pyarrow")}


def run(settings: Settings) -> Report:
    """Measure extraction by both engines and by Ray Data, on the same files."""
    report = Report("ray", settings.told())
    count = _QUICK_IMAGES if settings.quick else _IMAGES
    with workshop() as work:
        weights, trained = weights_folder(NETWORKS["mobilenetv2"], work)
        images = image_folder(count, work)
        able, absent = _contenders(settings, work, images, weights, count)
        rounds = alternate(able, settings.rounds, settings.watcher)
    report.keep("mobilenetv2", rounds)
    report.tables.append(_table(rounds, absent, count, trained=trained))
    report.summary.update(
        images=count,
        seconds={name: _seconds(rounds, name).to_dict() for name in rounds[0]},
        times_the_local_engine={
            name: _slower(rounds, name).to_dict() for name in rounds[0] if name != _LOCAL
        },
    )
    local, ray = (under_way(rounds, name) for name in (_LOCAL, _RAY))
    if local and ray:
        report.summary["rate_once_under_way"] = ratios(ray, local).to_dict()
    return report


def _contenders(
    settings: Settings, work: Path, images: Path, weights: Path, count: int
) -> tuple[list[Contender], list[Absent]]:
    shared = {"images": str(images), "weights": str(weights), "device": settings.device}
    # In one precision for all; who runs the network is in the file.
    featkit = {**shared, "precision": "fp32"}
    scripts = {
        _LOCAL: ("extract_featkit", featkit, ".h5"),
        _RAY: ("extract_featkit", {**featkit, "engine": "ray"}, ".h5"),
        _PIPELINE: ("extract_ray_data", shared, ".npy"),
    }
    able, absent = [], []
    for name, (module, arguments, ending) in scripts.items():
        missing = [package for package in _NEEDED.get(name, ()) if find_spec(package) is None]
        if missing:
            absent.append(Absent(name, f"{missing[0]} is not installed"))
        else:
            able.append(Contender(name, _measured(module, arguments, work, ending), count))
    return able, absent


def _measured(
    module: str, arguments: Mapping[str, object], work: Path, ending: str
) -> Callable[[int], Measurement]:
    def measure(_: int) -> Measurement:
        out = work / f"out{ending}"
        measured = run_script(Script(module, {**arguments, "out": str(out)}))
        out.unlink()
        return measured

    return measure


def _table(
    rounds: Sequence[Round], absent: Sequence[Absent], count: int, *, trained: bool
) -> Table:
    rows = [_row(rounds, name) for name in rounds[0]]
    rows += [[who.name, f"not measured: {who.reason}", *["–"] * 2] for who in absent]
    return Table(
        title=f"Both engines on one machine: MobileNetV2, {count:,} JPEG files of 600 x 450 px",
        columns=[
            "who",
            "seconds",
            "times the local engine's",
            "images/s once under way",
        ],
        rows=rows,
        notes=[
            f"Median of the {len(rounds)} rounds and their range; ratios are taken within a round. "
            "Seconds are those of the whole job, Ray's own start and end included, in fp32. Once "
            "under way: in the middle half of the images. The pipeline decodes and computes as "
            "featkit does (its tasks decode, an actor holds the network), so nothing but the way "
            f"of the pixels differs; the network was run by {_runtimes(rounds)}.",
            *([] if trained else ["Random weights, which take as long as trained ones."]),
        ],
    )


def _row(rounds: Sequence[Round], name: str) -> list[str]:
    rates = under_way(rounds, name)
    return [
        name,
        _seconds(rounds, name).text(1),
        "–" if name == _LOCAL else _slower(rounds, name).text(),
        Spread.of(rates).text(0) if rates else "–",
    ]


def _runtimes(rounds: Sequence[Round]) -> str:
    """Return what ran the network, of everyone in every round."""
    facts = [each.facts for round_ in rounds for each in round_.values()]
    stores = [cast(Mapping[str, str], each.get("store", each)) for each in facts]
    return ", ".join(sorted({store["runtime"] for store in stores}))


def _seconds(rounds: Sequence[Round], name: str) -> Spread:
    return Spread.of([each[name].seconds for each in rounds])


def _slower(rounds: Sequence[Round], name: str) -> Spread:
    return ratios(
        [each[name].seconds for each in rounds], [each[_LOCAL].seconds for each in rounds]
    )
