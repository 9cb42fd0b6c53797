"""The tables of extraction, and their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import cast

from benchmarks.contenders.stopwatch import cores
from benchmarks.extraction.limits import (
    DECODE,
    FAITHFUL_DECODE,
    FAITHFUL_FORWARDS,
    FORWARD,
    Limits,
    allowed_rate,
)
from benchmarks.extraction.rivals import FEATKIT, THINGSVISION
from benchmarks.harness import Absent, Round, Spread, Table, ratios, under_way

__all__ = ["Case", "limits_table", "rates_table", "summary"]


@dataclass(frozen=True)
class Case:
    """What was measured of one network.

    Attributes:
        name: The network.
        trained: Whether its weights are trained ones.
        rounds: What everyone did in each round.
        absent: Who could not be measured.
        limits: What was tried for the limits.
    """

    name: str
    trained: bool
    rounds: Sequence[Round]
    absent: Sequence[Absent]
    limits: Limits

    def measured(self) -> list[str]:
        """Return the contenders without the limits."""
        limits = {DECODE, FORWARD, FAITHFUL_DECODE, *FAITHFUL_FORWARDS.values()}
        return [name for name in self.rounds[0] if name not in limits]

    def rates(self, name: str) -> list[float]:
        """Return a contender's images a second, a number for each round."""
        return [each[name].rate for each in self.rounds]

    def allowed(self, device: str) -> list[float]:
        """Return the images a second that the machine allows, a number for each round."""
        return [allowed_rate(each[DECODE], each[FORWARD], device) for each in self.rounds]

    def faithful(self, device: str) -> list[float]:
        """Return the same of ways that leave the features as they are."""
        return [
            allowed_rate(each[FAITHFUL_DECODE], each[_faithful_forward(each)], device)
            for each in self.rounds
        ]


def rates_table(cases: Sequence[Case], device: str) -> Table:
    """Return who makes how many features a second, and how that compares."""
    rows: list[list[str]] = []
    for case in cases:
        label = case.name if case.trained else f"{case.name}*"
        allowed, faithful = case.allowed(device), case.faithful(device)
        rows.extend(_row(case, label, name, device) for name in case.measured())
        rows.extend([label, who.name, "not measured", *["–"] * 9] for who in case.absent)
        bounds = {"what the machine allows": allowed, "the same, faithfully": faithful}
        for name, rates in bounds.items():
            rows.append([label, name, Spread.of(rates).text(1), *["–"] * 9])
    absent = {(who.name, who.reason) for case in cases for who in case.absent}
    return Table(
        title="Images a second, from JPEG files of 600 x 450 px to features on disk",
        columns=[
            "network",
            "who",
            "images/s",
            "featkit is times faster",
            "share of what the machine allows",
            "share of that, faithfully",
            "images/s once under way",
            "share then",
            "share then, faithfully",
            "core-ms an image",
            "images a round",
            "set-up, s",
        ],
        rows=rows,
        notes=[
            f"Median of the {len(cases[0].rounds)} rounds and, in brackets, their range, which "
            f"covers the true median with {100 * Spread.of(allowed).coverage:.0f}%; ratios are "
            "taken within a round. Every measurement is a process of its own; importing and "
            "loading the model is in no rate, but stands under set-up.",
            "What the machine allows counts the fastest decoder and the fastest precision, "
            "whatever they do to the features; faithfully: whole pixels, and the precision that "
            "featkit found in that round to leave the features of these weights as they are.",
            "Once under way: in the middle half of the images, so without the search for a way "
            "and making the network ready, which a job of any length does once.",
            "A network with * has random weights, which take as long as trained ones.",
            *_circumstances(cases),
            *(f"{name}: {reason}." for name, reason in sorted(absent)),
        ],
    )


def _circumstances(cases: Sequence[Case]) -> list[str]:
    """Say what thingsvision runs on, which has an environment of its own."""
    everyone = [round_ for case in cases for round_ in case.rounds]
    facts = [round_[THINGSVISION].facts for round_ in everyone if THINGSVISION in round_]
    if not facts:
        return []
    versions = {f"torch {each['torch']}, timm {each['timm']}" for each in facts}
    return [
        f"thingsvision runs in an environment of its own ({'; '.join(sorted(versions))}), by its "
        "own loader, with random weights."
    ]


def limits_table(cases: Sequence[Case]) -> Table:
    """Return all ways that were tried for the limits."""
    rows = []
    for case in cases:
        for way in case.limits.decode:
            alone = "–" if way.core_rate is None else f"{way.core_rate:,.0f}"
            rows.append([case.name, f"decode: {way.name}", alone, f"{way.rate:,.0f}"])
        for precision in case.limits.forward:
            rows.append([case.name, f"forward: {precision.name}", "–", f"{precision.rate:,.0f}"])
    return Table(
        title="Limits: decoding alone and forward passes alone, images a second",
        columns=["network", "what", "one core", f"all {cores()} cores or the GPU"],
        rows=rows,
        notes=[
            "Decoding is from file to the network's pixels (uint8); featkit's own hashes all "
            "pixels too, and is no candidate for the limit. Forward passes are on synthetic "
            "images, fp32 without TF32. The best way of each was measured again in every round; "
            "what the machine allows adds their times on a CPU and is the slower one on a GPU.",
            *(f"{case.name}, {text}." for case in cases for text in case.limits.failed),
        ],
    )


def summary(cases: Sequence[Case], device: str) -> dict[str, object]:
    """Return the numbers of the tables."""
    return {case.name: _numbers(case, device) for case in cases}


def _faithful_forward(measured: Round) -> str:
    """Return the limit of the precision that featkit found to be faithful in a round."""
    store = measured[FEATKIT].facts.get("store") if FEATKIT in measured else None
    precision = cast(Mapping[str, str], store)["precision"] if store else "fp32"
    return FAITHFUL_FORWARDS[precision]


def _row(case: Case, label: str, name: str, device: str) -> list[str]:
    rates = case.rates(name)
    own = name == FEATKIT or FEATKIT not in case.measured()
    first = case.rounds[0][name]
    core = Spread.of([1000 * each[name].core_seconds / each[name].work for each in case.rounds])
    setup = Spread.of([each[name].setup_seconds for each in case.rounds])
    rates_then = under_way(case.rounds, name)
    then = ["–"] * 3
    if rates_then:
        bounds = case.allowed(device), case.faithful(device)
        shares = [ratios(rates_then, bound).text() for bound in bounds]
        then = [Spread.of(rates_then).text(1), *shares]
    return [
        label,
        name,
        Spread.of(rates).text(1),
        "–" if own else ratios(case.rates(FEATKIT), rates).text(),
        ratios(rates, case.allowed(device)).text(),
        ratios(rates, case.faithful(device)).text(),
        *then,
        f"{core.middle:.1f}",
        f"{first.work:,.0f}",
        f"{setup.middle:.1f}",
    ]


def _numbers(case: Case, device: str) -> dict[str, object]:
    allowed, faithful = case.allowed(device), case.faithful(device)
    names = case.measured()
    rivals = [name for name in names if name != FEATKIT and FEATKIT in names]
    then = {name: rates for name in names if (rates := under_way(case.rounds, name))}
    return {
        "trained_weights": case.trained,
        "images_per_second": {name: Spread.of(case.rates(name)).to_dict() for name in names},
        "allowed": Spread.of(allowed).to_dict(),
        "allowed_faithfully": Spread.of(faithful).to_dict(),
        "share_of_allowed": {name: ratios(case.rates(name), allowed).to_dict() for name in names},
        "share_of_allowed_faithfully": {
            name: ratios(case.rates(name), faithful).to_dict() for name in names
        },
        "under_way": {name: Spread.of(rates).to_dict() for name, rates in then.items()},
        "share_of_allowed_under_way": {
            name: ratios(rates, allowed).to_dict() for name, rates in then.items()
        },
        "share_of_allowed_faithfully_under_way": {
            name: ratios(rates, faithful).to_dict() for name, rates in then.items()
        },
        "times_faster": {
            name: ratios(case.rates(FEATKIT), case.rates(name)).to_dict() for name in rivals
        },
        "decode": [asdict(each) for each in case.limits.decode],
        "forward": [asdict(each) for each in case.limits.forward],
        "absent": {who.name: who.reason for who in case.absent},
    }
