"""Runs that tell what the leak of a random split is worth, for heads fitted on a grouped split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from featkit.errors import PlanError, StoreError, UsageError
from featkit.experiment import Design, ImageTable, has_seen, plan_of
from featkit.experiment.design import LARGE_BUDGET
from featkit.features import FeatureStore
from featkit.heads import HEADS
from featkit.plans import Plan, Split, check_budgets, named_difference
from featkit.progress import Progress
from featkit.runs import Run, RunStore
from featkit.sweep._tables import image_table, read_table
from featkit.sweep.fitting import fit

__all__ = ["LEAKAGE_SPLITS", "LeakageRuns", "fit_leakage"]

LEAKAGE_SPLITS: tuple[Split, ...] = ("random", "random-clean", "random-leaky")
"""Each has a folder of its name; all three are tested on the same images."""


@dataclass(frozen=True)
class LeakageRuns:
    """What `fit_leakage` leaves behind.

    Attributes:
        folder: Holds a folder of Runs for each of `LEAKAGE_SPLITS`.
        trained: Number of Runs made now.
        reused: Number of Runs that were there already.
    """

    folder: Path
    trained: int
    reused: int


def fit_leakage(
    stores: Sequence[FeatureStore],
    grouped: Sequence[Path | str] | Path | str,
    out: Path | str,
    *,
    budgets: Sequence[float] | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> LeakageRuns:
    """Repeat the Runs of heads on a grouped split with training sets that leak and that do not.

    A random split decides which images are tested. On them are tested: heads that saw no image of
    a tested lesion (`random-clean`), heads that saw equally many images of each class with all
    siblings of tested images among them (`random-leaky`), and heads trained as on any random
    split (`random`). Work that is done is kept, as `fit` does.

    Args:
        stores: Feature files that the grouped Runs were made from.
        grouped: Output folders of `fit` with a grouped split; their heads on plain features,
            draws, folds and seed are repeated.
        out: Output folder.
        budgets: Budgets to repeat; None = all that the grouped Runs have.
        jobs: Fits at a time; None = one for each core.
        progress: Told of every finished Run.

    Raises:
        StoreError: A folder holds no Runs, or the stores are not those of the Runs.
        PlanError: The Runs are not of a grouped split or of several Plans, or the data cannot
            support the design.
        UsageError: The Runs have none of the budgets.
    """
    paths = [Path(grouped)] if isinstance(grouped, Path | str) else [Path(path) for path in grouped]
    runs = [run for path in paths for run in RunStore(path) if _is_plain_head(run)]
    _check_runs(runs, paths[0], stores)
    design = _design_of(runs, _plan_of(paths), stores[0], budgets)
    _check_plan(stores, design, runs[0].key.plan)
    trained = reused = 0
    for split in LEAKAGE_SPLITS:
        for imbalance in sorted({str(run.key.config["imbalance"]) for run in runs}):
            sweep = fit(
                stores,
                Path(out) / split,
                heads=_heads(runs, imbalance),
                imbalance=imbalance,
                design=replace(design, split=split),
                jobs=jobs,
                progress=progress,
            )
            trained, reused = trained + sweep.trained, reused + sweep.reused
    return LeakageRuns(Path(out), trained=trained, reused=reused)


def _is_plain_head(run: Run) -> bool:
    return run.frozen and "+" not in run.key.method


def _heads(runs: Sequence[Run], imbalance: str) -> list[str]:
    """Return the heads that were trained so, in the order of `HEADS`; first those that are gone."""
    methods = {run.key.method for run in runs if run.key.config["imbalance"] == imbalance}
    return [*sorted(methods - set(HEADS)), *(head for head in HEADS if head in methods)]


def _check_runs(runs: Sequence[Run], folder: Path, stores: Sequence[FeatureStore]) -> None:
    if not runs:
        raise StoreError(
            f"no Runs of heads in {folder}",
            cause="leakage is measured by repeating heads on plain features",
            remedy="Run `featkit fit` first",
        )
    if any(run.split != "grouped" or run.key.test for run in runs):
        raise PlanError(
            f"the Runs in {folder} are not of a grouped split's own test folds",
            cause="what a random split leaks is measured against them",
            remedy="Run `featkit fit` without --split and --test",
        )
    sources = {run.key.source for run in runs}
    for store in stores:
        if has_seen(store.image_hash, store.trained_on):
            raise PlanError(
                f"the leak cannot be measured with {store.backbone_name}",
                cause="it was fine-tuned on images that the clean training sets are tested on",
                remedy="Give features of a backbone that was not fine-tuned on these images",
            )
        if store.fingerprint not in sources:
            raise StoreError(
                f"no Run in {folder} was made from {store.path}",
                cause=f"its features are not theirs ({store.backbone_name})",
                remedy="Give the feature files that `featkit fit` was given",
            )


def _plan_of(folders: Sequence[Path]) -> Plan:
    """Return the Plan of all folders.

    Raises:
        PlanError: They have several.
    """
    first, *others = (Plan.load(folder / "plan.json") for folder in folders)
    for folder, other in zip(folders[1:], others, strict=True):
        difference = named_difference(first, other)
        if difference is not None:
            raise PlanError(
                f"the Runs of {folders[0]} and {folder} are of different Plans",
                cause=difference,
                remedy="Give folders that were made from the same data with the same design",
            )
    return first


def _design_of(
    runs: Sequence[Run], plan: Plan, store: FeatureStore, budgets: Sequence[float] | None
) -> Design:
    """Return the design of these Runs, as far as their budgets are wanted."""
    wanted = None if budgets is None else set(check_budgets(budgets))
    cells = [run.key for run in runs if wanted is None or run.key.budget in wanted]
    if not cells:
        known = ", ".join(f"{budget:g}" for budget in sorted({run.key.budget for run in runs}))
        raise UsageError(
            "no Run has any of the budgets",
            cause=f"the Runs have {known}",
            remedy="Choose among these",
        )
    small = [key.draw + 1 for key in cells if key.budget <= LARGE_BUDGET]
    large = [key.draw + 1 for key in cells if key.budget > LARGE_BUDGET]
    return Design(
        budgets=tuple(key.budget for key in cells),
        draws=max(small, default=1),
        draws_large=max(large, default=1),
        folds=plan.folds,
        use_folds=max(key.fold for key in cells) + 1,
        exclude_classes=tuple(name for name in store.classes if name not in plan.classes),
        duplicates=_merged(plan, image_table(store)),
        seed=plan.seed,
    )


def _merged(plan: Plan, table: ImageTable) -> tuple[tuple[str, str], ...]:
    """Return pairs of images, of different lesions in the table, that the Plan has in one."""
    own = dict(zip(table.image_id.tolist(), table.group.tolist(), strict=True))
    order = np.argsort(plan.group, kind="stable")
    names, groups = plan.image_id[order].tolist(), plan.group[order].tolist()
    return tuple(
        (names[place], names[place + 1])
        for place in range(len(names) - 1)
        if groups[place] == groups[place + 1] and own.get(names[place]) != own.get(names[place + 1])
    )


def _check_plan(stores: Sequence[FeatureStore], design: Design, expected: str) -> None:
    """Refuse stores from which the grouped Plan would not come out again."""
    table = read_table(stores, exclude_classes=design.exclude_classes)
    if plan_of(table.images, design).fingerprint != expected:
        raise PlanError(
            "the feature files do not give the Plan of the Runs",
            cause="they hold other images, labels or lesions, or not all files were given",
            remedy="Give all feature files that `featkit fit` was given, unchanged",
        )
