"""Section: the full design, versions, hardware, fingerprints and commands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.metadata import version

import numpy as np

from featkit.features import FeatureStore
from featkit.plans import Plan
from featkit.report.page._commands import commands, options_text
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Code, Column, Part, Section, Table, Text
from featkit.report.page.words import count, percent
from featkit.runs import Run

__all__ = ["design_section"]

_SPLITS = {
    "grouped": "by lesion: all images of a lesion are on one side",
    "random": "by image: photographs of one lesion stand on both sides, which leaks",
    "official": "the data set's own",
    "single-image-test": "by lesion, and only lesions with one image are tested",
    "random-clean": "by image, without training images of tested lesions",
    "random-leaky": "by image, with all training images of tested lesions, which leaks",
}


def design_section(contents: Contents) -> Section:
    """Return everything that it takes to judge the Runs and to make them again."""
    plan = contents.plan
    parts: list[Part] = [
        _pairs("What was compared on what", _design(contents, plan)),
        *_classes(contents, plan),
        _budgets(contents),
        _methods(contents),
        _pairs("Software and hardware", _software(contents)),
        _pairs("Fingerprints: what differs here is another experiment", _fingerprints(contents)),
        Code(
            "Commands that make this again",
            commands(contents.folders, contents.stores),
        ),
    ]
    if plan is None:
        text = "The folder has no plan.json, so folds, seed and counts by class are not known here."
        parts.insert(1, Text(text, "note"))
    return Section("design", "Design and how to repeat it", "Design", parts)


def _pairs(caption: str, pairs: Sequence[tuple[str, str]]) -> Table:
    columns = [Column("What", number=False), Column("Value", number=False)]
    return Table(caption, columns, [[Cell(name), Cell(value)] for name, value in pairs])


def _design(contents: Contents, plan: Plan | None) -> list[tuple[str, str]]:
    comparison, grid = contents.comparison, contents.grid
    draws = [
        f"{percent(budget)}: {len({draw for _, draw in grid.keys(budget)})}"
        for budget in comparison.budgets
    ]
    pairs = [
        ("Split", f"{comparison.split}: {_SPLITS[comparison.split]}"),
        (
            "Test set",
            f"{comparison.test}: {count(comparison.test_images)} images of "
            f"{count(comparison.test_lesions)} lesions",
        ),
        ("Test folds used", str(len(grid.tests))),
        ("Draws of each budget", "; ".join(draws)),
        ("Runs", count(sum(cell.runs for cell in comparison.cells))),
        (
            "Intervals",
            f"95% percentile bootstrap over lesions and draws, {count(comparison.resamples)} "
            f"resamples ({count(comparison.resamples_differences)} for differences), "
            f"seed {comparison.seed}",
        ),
    ]
    if plan is not None:
        pairs += [("Folds of the Plan", str(plan.folds)), ("Seed of the Plan", str(plan.seed))]
        if plan.dropped:
            text = f"{count(plan.dropped)}: their lesions are in the test set too"
            pairs.append(("Training images left out", text))
    return pairs


def _classes(contents: Contents, plan: Plan | None) -> Iterator[Table]:
    if plan is None:
        return
    tests = contents.grid.tests.values()
    tested = np.bincount(
        np.concatenate([test.label for test in tests]), minlength=len(contents.grid.classes)
    )
    rows = []
    for index, name in enumerate(plan.classes):
        mine = plan.label == index
        lesions = len(np.unique(plan.group[mine]))
        numbers = (int(mine.sum()), lesions, int(tested[index]))
        rows.append([Cell(name), *(Cell(count(number)) for number in numbers)])
    columns = [Column("Class", number=False)]
    columns += [Column(name) for name in ("Images", "Lesions", "Test images")]
    yield Table("Classes", columns, rows)


def _budgets(contents: Contents) -> Table:
    rows = []
    for budget in contents.comparison.budgets:
        cells = [cell for cell in contents.comparison.cells if cell.budget == budget]
        cells.sort(key=lambda cell: not cell.complete)
        keys = contents.grid.keys(budget)
        folds, draws = ({key[place] for key in keys} for place in (0, 1))
        numbers = (cells[0].train_lesions, cells[0].train_images, len(folds), len(draws))
        rows.append([Cell(percent(budget)), *(Cell(count(number)) for number in numbers)])
    names = ("Training lesions", "Training images", "Folds", "Draws")
    return Table(
        "Label budgets: all that a method may see, validation included (mean over draws)",
        [Column("Budget", number=False), *(Column(name) for name in names)],
        rows,
    )


def _methods(contents: Contents) -> Table:
    rows = []
    for method in contents.comparison.methods:
        run = contents.grid.example(method)
        kind = "frozen backbone" if run.frozen else "fine-tuned"
        rows.append([Cell(method, kind), Cell(options_text(run.key.config))])
    columns = [Column("Method", number=False), Column("Options", number=False)]
    return Table("Options of each method", columns, rows)


def _software(contents: Contents) -> list[tuple[str, str]]:
    runs = [run for cells in contents.grid.cells.values() for run in cells.values()]
    devices = sorted({(run.cost.device, run.cost.threads) for run in runs})
    names = ("featkit", "numpy", "scipy")
    pairs = [
        ("This page", ", ".join(f"{name} {version(name)}" for name in names)),
        (
            "Runs trained on",
            "; ".join(f"{device}, {threads} CPU thread(s)" for device, threads in devices),
        ),
        *_of_runs(runs),
    ]
    return pairs + [pair for store in contents.stores for pair in _of_store(store)]


def _of_runs(runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Yield the software of heads and of fine-tuning, each version that was used."""
    for kind, frozen in (("Heads trained with", True), ("Fine-tuned with", False)):
        found: dict[str, dict[str, None]] = {}
        for run in runs:
            if run.frozen == frozen:
                for name, number in run.versions.items():
                    found.setdefault(name, {})[number] = None
        if found:
            yield kind, ", ".join(f"{name} {' or '.join(used)}" for name, used in found.items())


def _of_store(store: FeatureStore) -> Iterator[tuple[str, str]]:
    attributes = store.attributes
    if "versions" in attributes:
        found = ", ".join(f"{name} {number}" for name, number in attributes["versions"].items())
        yield (f"Features of {store.backbone_name}: software", found)
    if "device" in attributes:
        where = f"{attributes['device']}, {attributes.get('precision', '')}, "
        yield (
            f"Features of {store.backbone_name}: made on",
            f"{where}{attributes.get('created', '')}",
        )


def _fingerprints(contents: Contents) -> list[tuple[str, str]]:
    grid = contents.grid
    pairs = [("Plan", grid.plan)]
    pairs += [(f"Test set, fold {fold}", test.fingerprint) for fold, test in grid.tests.items()]
    sources = dict.fromkeys(
        (grid.example(method).key.backbone, grid.example(method).key.source)
        for method in grid.methods
    )
    pairs += [(f"What methods on {backbone} were given", source) for backbone, source in sources]
    for store in contents.stores:
        name, backbone = store.backbone_name, store.attributes["backbone"]
        pairs.append((f"Backbone {name}", str(backbone.get("fingerprint", ""))))
        pairs.append((f"Weights of {name} (SHA-256)", str(backbone.get("weights_sha256", ""))))
        dataset = store.attributes["dataset"]
        pairs.append((f"Data set {store.dataset_name}", str(dataset.get("fingerprint", ""))))
    return list(dict.fromkeys(pair for pair in pairs if pair[1]))
