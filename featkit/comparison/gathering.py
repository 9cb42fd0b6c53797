"""Gather Runs from folders into a grid of methods and budgets, refusing what cannot be compared."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from featkit.errors import PlanError
from featkit.plans import Plan, named_difference
from featkit.runs import Run, TestSet, filled_store

__all__ = ["Grid", "gather"]

_ORDER = (
    "linear",
    "lightgbm",
    "mlp",
    "finetune-head",
    "finetune-last",
    "finetune-full",
    "finetune-lp-ft",
)
"""Methods from the lightest to the heaviest."""

_NAMED = 3
"""Images that a message names."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Runs of one Plan on one test set.

    Attributes:
        methods: Rows, by backbone, heads on frozen features before fine-tuning:
            `BACKBONE / METHOD`, and what of the configuration tells it from another row of that
            name.
        budgets: Columns, ascending.
        cells: The Runs of each method and budget that was trained, by (fold, draw).
        classes: The classes' names.
        tests: The test set of each fold.
        split: The Plan's way of splitting.
        plan: The Plan's fingerprint.
    """

    methods: tuple[str, ...]
    budgets: tuple[float, ...]
    cells: Mapping[tuple[str, float], Mapping[tuple[int, int], Run]]
    classes: tuple[str, ...]
    tests: Mapping[int, TestSet]
    split: str
    plan: str

    def keys(self, budget: float) -> set[tuple[int, int]]:
        """Return every (fold, draw) that some method has at a budget."""
        return {key for (_, at), runs in self.cells.items() if at == budget for key in runs}

    def complete(self, method: str, budget: float) -> bool:
        """Return whether a row has every Run that some row has at a budget."""
        return set(self.runs(method, budget)) == self.keys(budget)

    def runs(self, method: str, budget: float) -> Mapping[tuple[int, int], Run]:
        """Return a row's Runs at a budget, by (fold, draw); none where it was not trained."""
        return self.cells.get((method, budget), {})

    def example(self, method: str) -> Run:
        """Return a Run of a row, for what all of them share: backbone, method, whether frozen."""
        return self._examples[method]

    @cached_property
    def _examples(self) -> dict[str, Run]:
        return {method: next(iter(runs.values())) for (method, _), runs in self.cells.items()}


def gather(folders: Sequence[Path | str] | Path | str) -> Grid:
    """Read all Runs below the folders.

    Args:
        folders: One output folder of `fit` or `finetune`, or several.

    Raises:
        StoreError: A folder holds no Runs, or a damaged one.
        PlanError: Runs of different Plans, test sets or classes.
    """
    runs: list[Run] = []
    given = [folders] if isinstance(folders, Path | str) else folders
    paths = [Path(folder) for folder in given]
    for folder in paths:
        found = list(filled_store(folder))
        _same_design(paths[0], folder, runs[:1] + found)
        runs += found
    names = _names(runs)
    cells: dict[tuple[str, float], dict[tuple[int, int], Run]] = defaultdict(dict)
    for run in runs:
        cell = cells[names[_identity(run)], run.key.budget]
        _refuse_twin(cell.get((run.key.fold, run.key.draw)), run)
        cell[run.key.fold, run.key.draw] = run
    return Grid(
        methods=tuple(dict.fromkeys(names.values())),
        budgets=tuple(sorted({run.key.budget for run in runs})),
        cells=dict(cells),
        classes=runs[0].classes,
        tests=_tests(runs),
        split=runs[0].split,
        plan=runs[0].key.plan,
    )


def _same_design(first: Path, other: Path, runs: Sequence[Run]) -> None:
    """Raise unless all Runs share Plan and classes."""
    if len({(run.key.plan, run.classes) for run in runs}) == 1:
        return
    paths = [folder / "plan.json" for folder in (first, other)]
    cause = "they were trained and tested on different images"
    remedy = "Compare methods that were trained with the same data and design options"
    if all(path.exists() for path in paths):
        plans = [Plan.load(path) for path in paths]
        cause = named_difference(*plans) or cause
        apart = _images_apart(dict(zip((first, other), plans, strict=True)))
        if apart:
            cause += f"; {apart}"
            remedy += "; `featkit data check` and `featkit inspect` name images that fail to decode"
    raise PlanError(
        f"the Runs of {first} and {other} cannot be compared", cause=cause, remedy=remedy
    )


def _images_apart(plans: Mapping[Path, Plan]) -> str:
    """Say which images take part in one folder's design only, or "" where there are none."""
    ids = {folder: set(plan.image_id[plan.label >= 0].tolist()) for folder, plan in plans.items()}
    common = set.intersection(*ids.values())
    said = []
    for folder, own in ids.items():
        extra = sorted(own - common)
        if extra:
            more = f" and {len(extra) - _NAMED} more" if len(extra) > _NAMED else ""
            said.append(f"only {folder} has {', '.join(extra[:_NAMED])}{more}")
    return "; ".join(said)


def _refuse_twin(known: Run | None, run: Run) -> None:
    """Raise where two Runs claim to be the same experiment and are not the same result."""
    if known and not np.array_equal(known.probabilities, run.probabilities):
        raise PlanError(
            f"two Runs of {run.name} at {run.key.budget:g}% differ",
            cause="the folders hold the same experiment, made twice with different results",
            remedy="Leave one of the folders out",
        )


def _tests(runs: Sequence[Run]) -> dict[int, TestSet]:
    tests: dict[int, TestSet] = {}
    for run in runs:
        known = tests.setdefault(run.key.fold, run.test)
        same = known.fingerprint == run.test.fingerprint and run.key.test == runs[0].key.test
        if not same:
            raise PlanError(
                "the Runs cannot be compared",
                cause=f"some were tested on {runs[0].test.name}, others on other images "
                f"({run.test.name})",
                remedy="Give folders of one test set at a time",
            )
    return tests


def _identity(run: Run) -> tuple[str, str, str]:
    config = json.dumps(dict(run.key.config), sort_keys=True)
    return (run.name, run.key.source, config)


def _names(runs: Sequence[Run]) -> dict[tuple[str, str, str], str]:
    """Name each method, adding what tells it from others of the same name."""
    identities = dict.fromkeys(_identity(run) for run in sorted(runs, key=_row_order))
    by_name: dict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for identity in identities:
        by_name[identity[0]].append(identity)
    return {
        identity: name if len(twins) == 1 else f"{name} ({_distinction(identity, twins)})"
        for name, twins in by_name.items()
        for identity in twins
    }


def _row_order(run: Run) -> tuple[object, ...]:
    """Order rows by backbone, then heads, heads with views, and fine-tuning."""
    base, *variants = run.key.method.split("+")
    place = _ORDER.index(base) if base in _ORDER else len(_ORDER)
    return (run.key.backbone, not run.frozen, variants, place, *_identity(run))


def _distinction(identity: tuple[str, str, str], twins: Sequence[tuple[str, str, str]]) -> str:
    configs = [json.loads(twin[2]) for twin in twins]
    mine = json.loads(identity[2])
    parts = [
        f"{name}={value}"
        for name, value in mine.items()
        if any(config.get(name) != value for config in configs)
    ]
    if len({twin[1] for twin in twins}) > 1:
        parts.append(f"features {identity[1][:6]}")
    return ", ".join(parts)
