"""An epoch of fine-tuning: featkit against a plain PyTorch loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import cast

from benchmarks.harness import (
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
    workshop,
)
from benchmarks.material import NETWORKS, Labelled, labelled_images, weights_folder

__all__ = ["run"]

_FEATKIT, _DEFAULTS, _PLAIN = "featkit, the plain loop's recipe", "featkit", "plain loop"
_FEW, _MANY = 1, 3
"""Epochs of the two runs whose difference is the time of `_MANY - _FEW` epochs."""

_LIKE_PLAIN: Mapping[str, object] = {
    "augmentation": ["crop", "hflip", "vflip", "rotation", "colour"],
    "batch_norm": "trained",
    "layer_decay": 1.0,
    "ema": 0.0,
    "clip": 0.0,
    "warmup": 0.0,
    "schedule": "constant",
    "imbalance": "none",
}
"""What the plain loop does."""

_IMAGES, _QUICK_IMAGES = {128: 2_000, 224: 1_000}, {64: 150}
"""How many images there are at each size, the test fold and the held-out part included."""
_TRAINED, _HELD_OUT = 0.64, 0.16
"""Shares of them that featkit trains on, and validates on after each epoch."""


def run(settings: Settings) -> Report:
    """Measure epochs at each size of images."""
    report = Report("finetuning", {**settings.told(), "network": "mobilenetv2"})
    rows: list[list[str]] = []
    with workshop() as work:
        weights, _ = weights_folder(NETWORKS["mobilenetv2"], work)
        data = labelled_images(work)
        sizes = _QUICK_IMAGES if settings.quick else _IMAGES
        for size, images in sizes.items():
            settings.watcher.section(f"{size} px")
            common = {"weights": str(weights), "size": size, "device": settings.device}
            job = _Job(data, images, work, common)
            rounds = alternate(job.contenders(), settings.rounds, settings.watcher)
            report.keep(f"{size} px", rounds)
            rows += [_row(size, name, rounds) for name in rounds[0]]
            report.summary[str(size)] = {
                name: {
                    "times_faster": _faster(rounds, name).to_dict(),
                    "seconds_for_1000_images": _thousand(rounds, name).to_dict(),
                    "once_s": _once(rounds, name).to_dict(),
                }
                for name in rounds[0]
            }
        report.tables.append(_table(rows, data))
    return report


class _Job:
    """The contenders at one size of images."""

    def __init__(
        self, data: Labelled, images: int, work: Path, common: Mapping[str, object]
    ) -> None:
        self._data = data
        self._images = images
        self._outs = (work / f"finetuned-{common['size']}-{number}" for number in count())
        self._common = common

    def contenders(self) -> list[Contender]:
        return [
            Contender(_FEATKIT, lambda _: _epoch(lambda n: self._featkit(n, _LIKE_PLAIN)), 1),
            Contender(_DEFAULTS, lambda _: _epoch(lambda n: self._featkit(n, {})), 1),
            Contender(_PLAIN, lambda _: _epoch(self._plain), 1),
        ]

    def _featkit(self, epochs: int, recipe: Mapping[str, object]) -> Measurement:
        arguments = {
            **self._common,
            "images": self._data.spec,
            "limit": self._images,
            "epochs": epochs,
            "recipe": recipe,
            "out": str(next(self._outs)),
        }
        return run_script(Script("finetune_featkit", arguments))

    def _plain(self, epochs: int) -> Measurement:
        trained = round(_TRAINED * self._images)
        held_out = round(_HELD_OUT * self._images)
        arguments = {
            **self._common,
            "train": self._data.samples[:trained],
            "validation": self._data.samples[trained : trained + held_out],
            "classes": self._data.classes,
            "epochs": epochs,
        }
        return run_script(Script("finetune_plain", arguments))


def _epoch(train: Callable[[int], Measurement]) -> Measurement:
    """Return what one epoch takes, by two runs of which one has more epochs.

    Args:
        train: Trains for so many epochs, and measures all of it.
    """
    few, many = train(_FEW), train(_MANY)
    epochs = _MANY - _FEW
    seconds = (many.seconds - few.seconds) / epochs
    return replace(
        many,
        work=float(cast(float, many.facts["trained"])),
        seconds=seconds,
        core_seconds=(many.core_seconds - few.core_seconds) / epochs,
        facts={
            "once_s": few.seconds - _FEW * seconds,
            "few": few.to_dict(),
            "many": many.to_dict(),
        },
    )


def _row(size: int, name: str, rounds: Sequence[Round]) -> list[str]:
    first = rounds[0][name]
    return [
        f"{size} px",
        name,
        f"{first.work:,.0f}",
        Spread.of([each[name].seconds for each in rounds]).text(1),
        Spread.of([each[name].rate for each in rounds]).text(0),
        "–" if name == _PLAIN else _faster(rounds, name).text(),
        _once(rounds, name).text(1),
    ]


def _table(rows: Sequence[Sequence[str]], data: Labelled) -> Table:
    return Table(
        title="An epoch of fine-tuning all of MobileNetV2",
        columns=[
            "size",
            "who",
            "images trained on",
            "seconds an epoch",
            "images/s",
            "times faster than the plain loop",
            "once, s",
        ],
        rows=rows,
        notes=[
            f"On {'HAM10000' if data.real else 'drawn images'}. An epoch is training and the "
            "validation after it, on a quarter as many images; its time is told from runs of "
            f"{_MANY} and {_FEW} epochs. Once: everything else, such as decoding ahead, and "
            "featkit's test of the fold; importing and loading the model is in neither. Ratios "
            "are of images a second, taken within a round; median of the rounds and their range.",
            "featkit with the plain loop's recipe augments and optimises as that does; by "
            "itself it keeps batch-norm statistics, averages weights, decays rates by layer and "
            "does not crop.",
        ],
    )


def _faster(rounds: Sequence[Round], name: str) -> Spread:
    return ratios([each[name].rate for each in rounds], [each[_PLAIN].rate for each in rounds])


def _thousand(rounds: Sequence[Round], name: str) -> Spread:
    return Spread.of([1000 / each[name].rate for each in rounds])


def _once(rounds: Sequence[Round], name: str) -> Spread:
    return Spread.of([cast(float, each[name].facts["once_s"]) for each in rounds])
