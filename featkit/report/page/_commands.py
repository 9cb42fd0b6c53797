"""The commands that make the same Runs again, read off the Runs, the Plan and the feature files."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from featkit.comparison import Grid
from featkit.features import FeatureStore
from featkit.plans import Plan
from featkit.runs import Run

__all__ = ["commands", "options_text"]

_LARGE_BUDGET = 25.0
_DATA = "DATA"
_BEFORE = "finetune-"


def commands(
    grid: Grid, folders: Sequence[Path], plan: Plan | None, stores: Sequence[FeatureStore]
) -> str:
    """Return one command a line: extract, fit, finetune, compare, report.

    What the Runs do not say is left to the reader in capitals: where the data lies (`DATA`) and,
    without feature files, which file held the features.
    """
    folder = str(folders[0])
    design = _design(grid, plan)
    lines = [f"# {_DATA} stands for the data set's folder, as in: featkit data info DATA"]
    lines += [_extract(store) for store in stores]
    examples = [grid.example(method) for method in grid.methods]
    lines += _fits([run for run in examples if run.frozen], folder, design, stores)
    lines += _finetunes([run for run in examples if not run.frozen], folder, design, stores)
    places = [str(path) for path in folders]
    lines += [_join("compare", *places), _join("report", *places)]
    return "\n".join(dict.fromkeys(lines))


def _design(grid: Grid, plan: Plan | None) -> list[str]:
    draws = {budget: 1 + max(draw for _, draw in grid.keys(budget)) for budget in grid.budgets}
    small = [count for budget, count in draws.items() if budget <= _LARGE_BUDGET]
    large = [count for budget, count in draws.items() if budget > _LARGE_BUDGET]
    most = max(small or large)
    options = ["--budgets", ",".join(f"{budget:g}" for budget in grid.budgets)]
    options += ["--draws", str(most)]
    if large and max(large) != most:
        options += ["--draws-large", str(max(large))]
    if grid.split != "official":
        folds = [] if plan is None else ["--folds", str(plan.folds)]
        options += [*folds, "--use-folds", str(1 + max(grid.tests))]
    options += ["--split", grid.split]
    return options if plan is None else [*options, "--seed", str(plan.seed)]


def _extract(store: FeatureStore) -> str:
    attributes = store.attributes
    views = int(attributes.get("views", 1))
    options = ["--views", str(views)] if views > 1 else []
    if "precision" in attributes:
        options += ["--precision", str(attributes["precision"])]
    spec = str(attributes["backbone"]["spec"])
    return _join("extract", _DATA, "--backbone", spec, "--out", str(store.path), *options)


def _fits(
    runs: Sequence[Run], folder: str, design: Sequence[str], stores: Sequence[FeatureStore]
) -> Iterator[str]:
    """Yield a command for each set of heads that share features and handling of imbalance."""
    files = {store.fingerprint: str(store.path) for store in stores}
    heads: dict[tuple[str, str, str], dict[str, list[str]]] = {}
    for run in runs:
        head, *extras = run.key.method.split("+")
        key = (str(run.key.config.get("imbalance", "weights")), "+".join(extras), run.key.test)
        file = files.get(run.key.source, f"{run.key.backbone}.h5")
        heads.setdefault(key, {}).setdefault(file, []).append(head)
    for (imbalance, variants, test), by_file in heads.items():
        wanted = dict.fromkeys(name for found in by_file.values() for name in found)
        options = [part for head in wanted for part in ("--head", head)]
        options += ["--imbalance", imbalance] if imbalance != "weights" else []
        options += ["--views", "all"] if "views" in variants else []
        options += ["--tta"] if "tta" in variants else []
        options += ["--test", "OTHER.h5"] if test else []
        yield _join("fit", *by_file, "--out", folder, *options, *design)


def _finetunes(
    runs: Sequence[Run], folder: str, design: Sequence[str], stores: Sequence[FeatureStore]
) -> Iterator[str]:
    """Yield a command for each backbone that was fine-tuned."""
    specs = {store.backbone_name: str(store.attributes["backbone"]["spec"]) for store in stores}
    strategies: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        key = (run.key.backbone, run.key.test)
        strategies.setdefault(key, []).append(run.key.method.removeprefix(_BEFORE))
    for (backbone, test), names in strategies.items():
        options = [part for name in dict.fromkeys(names) for part in ("--strategy", name)]
        options += ["--test", "OTHER"] if test else []
        spec = specs.get(backbone, backbone)
        yield _join("finetune", _DATA, "--backbone", spec, "--out", folder, *options, *design)


def _join(*words: str) -> str:
    return shlex.join(["featkit", *words])


def options_text(config: Mapping[str, object]) -> str:
    """Return a method's options as `name=value`, in alphabetical order."""
    return ", ".join(f"{name}={config[name]}" for name in sorted(config))
