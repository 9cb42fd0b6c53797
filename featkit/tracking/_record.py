"""Record: a Run in the words of a tracking server, which knows texts and numbers by name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from featkit.evaluate import METRICS, class_precision, class_recall
from featkit.provenance import software_versions
from featkit.runs import Run

__all__ = ["DIGEST", "PLAN", "Record", "record_of"]

DIGEST, PLAN = "featkit.digest", "featkit.plan"
"""Tags by which a Run is known again."""


@dataclass(frozen=True)
class Record:
    """What is logged of a Run.

    Attributes:
        name: For people.
        digest: By which it is known again.
        begun_ms: When it began, in milliseconds of the epoch.
        ended_ms: When it ended.
        params: What it is a Run of, and what its method chose.
        metrics: Scores, recall and precision of each class, and cost; only defined ones.
        tags: Digest, Plan, origin.
        file: The Run with its probabilities.
    """

    name: str
    digest: str
    begun_ms: int
    ended_ms: int
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    file: Path


def record_of(run: Run, file: Path) -> Record:
    """Return what is logged of a Run.

    Args:
        run: The Run.
        file: Where it lies; the time of the file is the time of its end.
    """
    key = run.key
    ended = file.stat().st_mtime
    return Record(
        name=f"{run.name} {key.budget:g}% f{key.fold} d{key.draw}",
        digest=key.digest,
        begun_ms=round(1000 * (ended - run.cost.wall_s)),
        ended_ms=round(1000 * ended),
        params=_params(run),
        metrics={name: value for name, value in _metrics(run) if math.isfinite(value)},
        tags={
            DIGEST: key.digest,
            PLAN: key.plan,
            "featkit.version": run.versions.get("featkit")
            or software_versions([]).get("featkit", "unknown"),
            "featkit.run": key.file_name,
            "featkit.folder": str(file.parent.parent.absolute()),
            "mlflow.source.name": "featkit",
            "mlflow.source.type": "LOCAL",
        },
        file=file,
    )


def _params(run: Run) -> dict[str, str]:
    key = run.key
    facts: dict[str, object] = {
        "backbone": key.backbone,
        "method": key.method,
        "budget": key.budget,
        "fold": key.fold,
        "draw": key.draw,
        "split": run.split,
        "test": run.test.name,
        "frozen": run.frozen,
        "train_lesions": run.train_lesions,
        "train_images": run.train_images,
        "test_images": len(run.test.label),
        "device": run.cost.device,
        "threads": run.cost.threads,
        "plan": key.plan,
        "features": key.source,
    }
    for group, values in (("config", key.config), ("chosen", run.chosen), ("input", run.inputs)):
        facts |= {f"{group}.{name}": value for name, value in values.items()}
    return {_name(name): _text(value) for name, value in facts.items() if value not in (None, "")}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:.12g}"
    return json.dumps(value, ensure_ascii=False, default=str)


def _metrics(run: Run) -> Iterator[tuple[str, float]]:
    given = (run.test.label, run.probabilities)
    for name, metric in METRICS.items():
        yield name, float(metric(*given)[0])
    names = list(_distinct(run.classes))
    for kind, values in (("recall", class_recall(*given)), ("precision", class_precision(*given))):
        for name, value in zip(names, values[0].tolist(), strict=True):
            yield f"{kind}.{name}", float(value)
    for name, cost in asdict(run.cost).items():
        if isinstance(cost, int | float) and name != "threads":
            yield f"cost.{name}", float(cost)


def _distinct(classes: Iterable[str]) -> Iterator[str]:
    """Yield names of classes as servers take them, no two alike."""
    seen: set[str] = set()
    for place, each in enumerate(classes):
        name = _name(each)
        name = f"{name}.{place}" if name in seen else name
        seen.add(name)
        yield name


def _name(text: str) -> str:
    return re.sub(r"[^\w.\- ]", "_", text)[:200]
