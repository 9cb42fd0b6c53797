"""A served model under load: requests a second and latency by the number of clients."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from benchmarks.harness import (
    ROOT,
    Contender,
    Measurement,
    Report,
    Round,
    Settings,
    Spread,
    Table,
    alternate,
    workshop,
)
from benchmarks.load import Photograph, put_load
from benchmarks.material import image_folder, trained_model
from featkit import FeatkitError

__all__ = ["run"]

_CLIENTS, _QUICK_CLIENTS = (1, 4, 16, 64), (1, 4)
_SECONDS, _QUICK_SECONDS = 15.0, 1.0
_PHOTOGRAPHS, _QUICK_PHOTOGRAPHS = 96, 8
_TOO_MANY, _WAITING = 64, 16
"""Clients, and images that may wait, of a server that has too much to do."""

_OVERLOAD = f"{_TOO_MANY} clients, {_WAITING} may wait"

Address = tuple[str, int]


def run(settings: Settings) -> Report:
    """Measure a server on loopback, whose clients work on the same cores."""
    report = Report("serving", settings.told())
    quick = settings.quick
    with workshop() as work:
        settings.watcher.begins("training the model that is served")
        model = settings.model or trained_model(work, quick=quick)[0]
        count = _QUICK_PHOTOGRAPHS if quick else _PHOTOGRAPHS
        folder = settings.images or image_folder(count, work)
        name, photographs = _photographs(model, folder, count)
        with _served(model) as usual, _served(model, waiting=_WAITING) as narrow:
            able = _contenders(usual, narrow, photographs, settings)
            rounds = alternate(able, settings.rounds, settings.watcher)
    report.keep("load", rounds)
    found = {name: _summary(rounds, name) for name in rounds[0]}
    report.summary.update(model=name, photographs=len(photographs), cases=found)
    report.tables.append(_table(found, name, len(photographs), settings.rounds))
    return report


def _photographs(model: Path, folder: Path, count: int) -> tuple[str, list[Photograph]]:
    """Return the model's name, and files with the answers that the predictor itself gives."""
    from featkit.inference import Predictor

    paths = sorted(folder.rglob("*.jpg"))[:count]
    if not paths:
        raise FeatkitError(
            f"no photographs in {folder}",
            cause="it has no .jpg file",
            remedy="Give another folder by --images",
        )
    with Predictor.load(model, device="cpu", precision="fp32") as predictor:
        probabilities = predictor.predict_proba(paths)
        classes = [str(each) for each in predictor.classes_]
        name = predictor.model.facts.name
    return name, [
        Photograph(path.read_bytes(), dict(zip(classes, row.tolist(), strict=True)))
        for path, row in zip(paths, probabilities, strict=True)
    ]


@contextmanager
def _served(model: Path, *, waiting: int = 128) -> Iterator[Address]:
    command = [sys.executable, "-m", "featkit_cli", "serve", str(model), "--port", "0"]
    process = subprocess.Popen(
        [*command, "--max-waiting", str(waiting), "--device", "cpu"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        said = process.stderr.readline() if process.stderr else ""
        where = re.search(r"http://([\d.]+):(\d+)", said)
        if where is None:
            raise FeatkitError(
                "the server could not be measured",
                cause=f"it said: {said.strip() or 'nothing'}",
                remedy="See whether `featkit serve` starts",
            )
        yield where[1], int(where[2])
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def _contenders(
    usual: Address, narrow: Address, photographs: Sequence[Photograph], settings: Settings
) -> list[Contender]:
    seconds = settings.seconds or (_QUICK_SECONDS if settings.quick else _SECONDS)
    clients = _QUICK_CLIENTS if settings.quick else _CLIENTS

    def contender(name: str, address: Address, number: int, heat: bool) -> Contender:
        return Contender(name, _measured(address, photographs, number, seconds, heat=heat), 1)

    return [
        *(contender(_named(number), usual, number, False) for number in clients),
        *(contender(f"{_named(number)}, heat maps", usual, number, True) for number in clients),
        contender(_OVERLOAD, narrow, _TOO_MANY, False),
    ]


def _named(clients: int) -> str:
    return "1 client" if clients == 1 else f"{clients} clients"


def _measured(
    address: Address, photographs: Sequence[Photograph], clients: int, seconds: float, *, heat: bool
) -> Callable[[int], Measurement]:
    def measure(_: int) -> Measurement:
        tally, took = put_load(address, photographs, clients=clients, seconds=seconds, heat=heat)
        facts = {
            "sent": tally.sent,
            "codes": {str(code): number for code, number in sorted(tally.codes.items())},
            "wrong": tally.wrong,
            "lost": tally.lost,
            **{f"p{share}_ms": tally.milliseconds(share / 100) for share in (50, 95, 99)},
        }
        return Measurement(work=tally.codes[200], seconds=took, facts=facts)

    return measure


def _summary(rounds: Sequence[Round], name: str) -> dict[str, Any]:
    measured = [each[name] for each in rounds]
    facts = [cast(dict[str, Any], each.facts) for each in measured]
    codes: Counter[str] = Counter()
    for each in facts:
        codes.update(each["codes"])
    return {
        "answers_per_second": Spread.of([each.rate for each in measured]).to_dict(),
        **{
            key: Spread.of([each[key] for each in facts]).to_dict()
            for key in ("p50_ms", "p95_ms", "p99_ms")
        },
        "sent": sum(each["sent"] for each in facts),
        "codes": dict(sorted(codes.items())),
        "wrong": sum(each["wrong"] for each in facts),
        "lost": sum(each["lost"] for each in facts),
    }


def _table(found: dict[str, dict[str, Any]], model: str, photographs: int, rounds: int) -> Table:
    rows = [
        [
            name,
            *(Spread(**each[key]).text(0) for key in _SHOWN),
            f"{each['codes'].get('200', 0):,}",
            f"{each['codes'].get('503', 0):,}",
            str(sum(number for code, number in each["codes"].items() if code not in _USUAL)),
            str(each["wrong"]),
            str(each["lost"]),
        ]
        for name, each in found.items()
    ]
    return Table(
        title=f"A served model under load: {model}",
        columns=["", "answers/s", "p50, ms", "p95, ms", "p99, ms", *_COUNTS],
        rows=rows,
        notes=[
            f"Median of the {rounds} rounds and their range; counts are of all rounds. Each client "
            f"sends one of {photographs} photographs over a connection of its own, waits for the "
            "answer, compares it with the predictor's and sends the next; one that was turned away "
            "(503) waits 50 ms. Clients and server share the cores. Latency is of answers.",
        ],
    )


_SHOWN = ("answers_per_second", "p50_ms", "p95_ms", "p99_ms")
_USUAL = ("200", "503")
_COUNTS = ("answered", "turned away", "other codes", "wrong", "lost")
