"""Key numbers on top of the page."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from featkit.comparison import CellResult
from featkit.evaluate import METRICS
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Fact
from featkit.report.page.words import (
    clock,
    count,
    p_words,
    percent,
    score_cell,
    signed_cell,
)

__all__ = ["facts"]


def facts(contents: Contents) -> Iterator[Fact]:
    """Yield the best of each side, their difference, the crossing, the price and the test set."""
    comparison = contents.comparison
    cells = [comparison.cell(method, comparison.budgets[-1]) for method in contents.leaders]
    yield from (_best(contents, cell) for cell in cells if cell is not None)
    yield from _difference(contents)
    yield from _crossing(contents)
    yield Fact(
        f"{count(comparison.test_lesions)} lesions",
        "Tested on",
        f"{count(comparison.test_images)} images; {comparison.test}, {comparison.split} split",
    )
    yield Fact(
        f"{count(sum(cell.runs for cell in comparison.cells))} Runs",
        "Behind all numbers",
        f"{_many(comparison.methods, 'method')}, {_many(comparison.budgets, 'label budget')}",
    )


def _best(contents: Contents, cell: CellResult) -> Fact:
    metric = contents.comparison.metric
    score = score_cell(cell.scores[metric])
    side = "frozen features" if cell.frozen else "fine-tuning"
    return Fact(
        score.text,
        f"{METRICS[metric].title}, best of {side}",
        f"{score.note}\n{cell.method} at {percent(cell.budget)}, "
        f"{clock(cell.alone_s)} of device time a Run",
    )


def _difference(contents: Contents) -> Iterator[Fact]:
    declared = contents.analysis.against.declared
    backbones = {item.backbone for item in declared}
    if len(backbones) == 1:
        last = max(declared, key=lambda item: item.budget)
        cell = signed_cell(last.difference)
        look = contents.look
        pair = f"{look.kind(last.finetuned)} minus {look.kind(last.frozen)}"
        yield Fact(
            cell.text,
            f"Fine-tuned minus frozen at {percent(last.budget)}",
            f"{cell.note}\n{pair}, {p_words(last.p_holm)}",
        )


def _crossing(contents: Contents) -> Iterator[Fact]:
    for found in contents.analysis.against.crossings:
        lesions = found.train_lesions.value
        if found.within and math.isfinite(lesions):
            yield Fact(
                found.place,
                "Fine-tuning pulls ahead from",
                f"{found.interval}\n{count(lesions)} training lesions, {found.backbone}",
            )


def _many(things: Sequence[object], name: str) -> str:
    return f"{count(len(things))} {name}{'' if len(things) == 1 else 's'}"
