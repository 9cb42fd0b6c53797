"""Copy what the benchmarks measured into docs/performance.md, beside what was aimed at.

With `--check`, write nothing and fail where the page and the files differ. The table of README
comes from here too (`scripts/update_readme.py` writes it).
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from blocks import keep, table

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "performance.md"
BENCHMARKS = ROOT / "artifacts" / "reference" / "benchmarks"

Summary = Mapping[str, Any]

NETWORKS = {"mobilenetv2": "MobileNetV2", "resnet50": "ResNet-50", "vit_small": "ViT-S/16"}
PLAIN, THINGSVISION, OWN = "plain script", "thingsvision", "featkit"
LOOPS = {
    "scikit-learn": "scikit-learn in a loop",
    "scikit-learn, warm_start": "the same, each strength from the last",
}
LIKE_PLAIN = "featkit, the plain loop's recipe"


def summary_of(name: str) -> Summary | None:
    """Return what a benchmark found, None where it has not run."""
    path = BENCHMARKS / f"{name}.json"
    return json.loads(path.read_text())["summary"] if path.exists() else None


def spread(found: Mapping[str, float]) -> str:
    """Return a median and its range, to three figures."""
    digits = min(3, max(0, 2 - math.floor(math.log10(found["middle"]))))
    middle, least, most = (f"{found[key]:,.{digits}f}" for key in ("middle", "least", "most"))
    return f"{middle} [{least}–{most}]"


@dataclass(frozen=True)
class Target:
    """What was aimed at, and what came of it.

    Attributes:
        what: For people.
        bound: Such as `at least 4`.
        measured: With its spread, "not measured" where there is no file.
        reached: None where there is no file.
    """

    what: str
    bound: str
    measured: str
    reached: bool | None

    def row(self) -> list[str]:
        """Return it as a row."""
        verdict = {True: "yes", False: "**no**", None: "–"}[self.reached]
        return [self.what, self.bound, self.measured, verdict]


def at_least(what: str, least: float, found: Mapping[str, float]) -> Target:
    return Target(what, f"at least {least:g}", spread(found), found["middle"] >= least)


def missing(what: str, bound: str) -> Target:
    return Target(what, bound, "not measured", None)


def extraction(found: Summary) -> Iterator[Target]:
    for key, times in (("mobilenetv2", 4), ("resnet50", 2.7), ("vit_small", 2)):
        name = f"extraction, {NETWORKS[key]}"
        if key not in found:
            yield missing(f"{name}: times the plain script", f"at least {times:g}")
            continue
        mine = found[key]
        yield at_least(f"{name}: times the plain script", times, mine["times_faster"][PLAIN])
        if THINGSVISION in mine["times_faster"]:
            yield at_least(f"{name}: times thingsvision", 4, mine["times_faster"][THINGSVISION])
        for words, share in (
            ("the whole job", "share_of_allowed"),
            ("once under way", "share_of_allowed_under_way"),
            ("once under way, faithful ways alone", "share_of_allowed_faithfully_under_way"),
        ):
            if OWN in mine.get(share, {}):
                yield at_least(f"{name}: share of the limit, {words}", 0.9, mine[share][OWN])


def linear(found: Summary) -> Iterator[Target]:
    for name, words in LOOPS.items():
        yield at_least(f"linear head: times {words}", 20, found["times_faster"][name])
    sweep = found["sweep_seconds"]
    yield Target("linear sweep: seconds", "at most 60", spread(sweep), sweep["middle"] <= 60)
    worst = max(each["objective_excess"] for each in found["optima"])
    yield Target("… objective above the optimum", "at most 1e-5", f"{worst:.0e}", worst <= 1e-5)
    same = min(each["same_predictions"] for each in found["optima"])
    yield Target("… equal predictions", "at least 99.9%", f"{100 * same:.2f}%", same >= 0.999)


def boosting(found: Summary) -> Iterator[Target]:
    mine = found["LGBMClassifier"]
    share, score = mine["share_of_time"], mine["score_difference"]
    name = "LightGBM head"
    yield Target(
        f"{name}: share of the default's time",
        "at most .2",
        spread(share),
        share["middle"] <= 0.2,
    )
    interval = f"{score['point']:+.2f} [{score['low']:+.2f}, {score['high']:+.2f}]"
    yield Target(f"{name}: balanced accuracy above it", "no worse", interval, score["low"] >= 0)


def mlp(found: Summary) -> Iterator[Target]:
    for rows, mine in found.items():
        times = mine["times_faster"]
        what = f"five MLP heads on {int(rows):,} rows: times one by one"
        yield Target(what, "faster", spread(times), times["least"] > 1)


def finetuning(found: Summary) -> Iterator[Target]:
    for size, mine in found.items():
        times = mine[LIKE_PLAIN]["times_faster"]
        yield at_least(f"an epoch of fine-tuning, {size} px: times the plain loop", 2.5, times)


def scale(found: Summary) -> Iterator[Target]:
    more = found["mib_for_another_100000"]
    yield Target("another 100,000 images: MiB", "flat", f"{more:,.0f}", None)
    rates = found["images_per_second"]
    ratio = rates["200000"] / rates["50000"]
    what = "200,000 images: rate over that of 50,000"
    yield Target(what, "linear, 1", f"{ratio:.2f}", ratio >= 0.95)
    over = found["store_overhead"]
    yield Target("store beyond its features", "under 3%", f"{100 * over:.1f}%", over < 0.03)


def ray(found: Summary) -> Iterator[Target]:
    for name, times in found["times_the_local_engine"].items():
        yield Target(f"{name}: times the local engine's time", "stated", spread(times), None)
    if "rate_once_under_way" in found:
        rate = found["rate_once_under_way"]
        yield Target(
            "ray engine: its rate over the local engine's, once under way",
            "stated",
            spread(rate),
            None,
        )


TARGETS: Mapping[str, Callable[[Summary], Iterator[Target]]] = {
    "extraction": extraction,
    "linear": linear,
    "boosting": boosting,
    "mlp": mlp,
    "finetuning": finetuning,
    "scale": scale,
    "ray": ray,
}


def targets() -> str:
    """Every target, with what was measured."""
    rows = [["what", "target", "measured, median and range", "reached"]]
    for name, read in TARGETS.items():
        found = summary_of(name)
        some = [missing(name, "–")] if found is None else read(found)
        rows += [target.row() for target in some]
    rows.append(["extraction and fine-tuning on a GPU", "several", "not measured", "–"])
    return f"{table(rows, numbers=[2])}\n\n{circumstances()}"


def circumstances() -> str:
    """Where and when: each file says it itself, too."""
    machines = [json.loads(path.read_text())["machine"] for path in files()]
    machine, gpus = machines[0], {each["gpu"] for each in machines}
    if gpus != {None} or len({each["cpu"] for each in machines}) > 1:
        sys.exit(f"the benchmarks are of several machines, or of a GPU: {gpus}")
    found = {each["date"] for each in machines}
    dates = " to ".join(sorted({min(found), max(found)}))
    return (
        f"Measured {dates} on {machine['cores']} cores of an {machine['cpu']}, "
        f"{machine['memory_gib']} GB, no GPU; versions stand in each file."
    )


def files() -> Sequence[Path]:
    """Return the files of the benchmarks that have run."""
    return [path for path in (BENCHMARKS / f"{name}.json" for name in TARGETS) if path.exists()]


def rivals() -> str:
    """What people do otherwise beside featkit."""
    rows = [["", "featkit", "otherwise", "", "times as fast"]]
    extracted = summary_of("extraction") or {}
    for key, mine in extracted.items():
        rates = mine["images_per_second"]
        for rival, times in mine["times_faster"].items():
            what = f"features of {NETWORKS[key]}"
            both = (f"{spread(rates[name])} images/s" for name in (OWN, rival))
            rows.append([what, *both, rival, spread(times)])
    for size, mine in (summary_of("finetuning") or {}).items():
        own, plain = mine[LIKE_PLAIN], mine["plain loop"]
        both = (f"{spread(each['seconds_for_1000_images'])} s" for each in (own, plain))
        what = f"an epoch of 1,000 images, {size} px"
        rows.append([what, *both, "a PyTorch loop", spread(own["times_faster"])])
    found = summary_of("linear")
    for name, words in LOOPS.items() if found else ():
        both = (f"{spread(found['seconds'][who])} s" for who in (OWN, name))
        what = "a linear head on 8,000 images, its penalty chosen"
        rows.append([what, *both, words, spread(found["times_faster"][name])])
    words = (
        "Median and range of the rounds; ratios are taken within a round. Features are made from "
        f"JPEG files of 600 × 450 px. {strengths_tried()}"
    )
    return f"{table(rows, numbers=[1, 2, 4])}\n\n{words}{circumstances()}"


def strengths_tried() -> str:
    """Say that the linear heads did not try the same number of penalties, if so."""
    path = BENCHMARKS / "linear.json"
    rounds = json.loads(path.read_text())["raw"]["fit"]["rounds"] if path.exists() else []
    tried = {name: {each[name]["facts"]["strengths"] for each in rounds} for name in (OWN, *LOOPS)}
    own = tried.pop(OWN)
    others = set().union(*tried.values())
    if own == others:
        return ""
    mine, theirs = (" to ".join(map(str, sorted(each))) for each in (own, others))
    return (
        f"featkit's linear head tried {mine} of the {theirs} penalties that scikit-learn tried: it "
        "ends once they become clearly worse. "
    )


def main() -> None:
    keep(PAGE, {"targets": targets}, source="artifacts/reference")


if __name__ == "__main__":
    main()
