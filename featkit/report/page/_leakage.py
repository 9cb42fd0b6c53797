"""Section: what the leak of a random split is worth, where a folder holds the Runs that tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from featkit.comparison import Estimate, Leakage, LeakageScore
from featkit.evaluate import METRICS
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Column, Folded, Part, Section, Table, Text
from featkit.report.page.words import DASH, count, percent, score_cell, signed_cell

__all__ = ["leakage_folder", "leakage_section"]


def leakage_folder(folders: Sequence[Path]) -> Path | None:
    """Return the folder with the Runs of a leakage experiment: `DIR/leakage`, or None."""
    places = [folder / "leakage" for folder in folders]
    return next((p for p in places if (p / "random-leaky" / "plan.json").exists()), None)


def leakage_section(contents: Contents) -> Iterator[Section]:
    """Yield the section, nothing where no folder holds a leakage experiment."""
    found = contents.leakage
    if found is None:
        return
    text = (
        f"Heads were trained twice on equally many images of each class and tested on the same "
        f"{count(found.test_images)} images: without any image of a tested lesion (clean), and "
        f"with all of them (leaky). {count(found.test_images_with_siblings)} test images have "
        "further images of their lesion to train on; only there can the leak show. The naive "
        "difference, random minus grouped split, is confounded: the two are tested on different "
        "images."
    )
    by_metric: dict[str, list[LeakageScore]] = {}
    for score in found.scores:
        by_metric.setdefault(score.metric, []).append(score)
    parts: list[Part] = [
        Text(text),
        *(_scores(name, scores) for name, scores in by_metric.items()),
        Folded("Leakage by class, and the training sets", [_classes(found), _training(found)]),
    ]
    yield Section("leakage", "What a random split leaks", "Leakage", parts)


def _scores(metric: str, scores: Sequence[LeakageScore]) -> Table:
    names = (
        "Budget",
        "Clean",
        "Leaky",
        "Leaky minus clean",
        "With siblings",
        "Without siblings",
        "Naive (confounded)",
    )
    rows = [
        [
            Cell(score.method),
            Cell(percent(score.budget)),
            score_cell(score.clean),
            score_cell(score.leaky),
            signed_cell(score.difference),
            *map(_signed, (score.with_siblings, score.without_siblings, score.naive)),
        ]
        for score in scores
    ]
    columns = [Column("Method", number=False), *(Column(name) for name in names)]
    return Table(f"{METRICS[metric].title}, clean and leaky", columns, rows)


def _signed(estimate: Estimate | None) -> Cell:
    return Cell(DASH) if estimate is None else signed_cell(estimate)


def _classes(found: Leakage) -> Table:
    names = ("Budget", "Test images", "Recall, clean", "Recall, leaky", "Leaky minus clean")
    rows = [
        [
            Cell(item.class_name, item.method),
            Cell(percent(item.budget)),
            Cell(count(item.support)),
            score_cell(item.clean),
            score_cell(item.leaky),
            signed_cell(item.difference),
        ]
        for item in found.by_class
    ]
    columns = [Column("Class", number=False), *(Column(name) for name in names)]
    return Table("Leakage by class", columns, rows)


def _training(found: Leakage) -> Table:
    names = ("Images, clean and leaky", "Of tested lesions, leaky only")
    rows = [
        [Cell(percent(item.budget)), Cell(count(item.images)), Cell(count(item.siblings))]
        for item in found.training
    ]
    columns = [Column("Budget", number=False), *(Column(name) for name in names)]
    return Table("Training sets of the leakage experiment", columns, rows)
