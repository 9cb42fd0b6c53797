"""Section: frozen features against fine-tuning, difference by budget."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.comparison import Contrast, LesionTest
from featkit.evaluate import METRICS
from featkit.report.charts import Axis, Line, Mark, Point, Rule, line_chart, swatch
from featkit.report.page.axes import budget_axis, estimates_span, score_axis
from featkit.report.page.contents import Contents
from featkit.report.page.parts import (
    Cell,
    Column,
    Figure,
    Legend,
    Panel,
    Part,
    Section,
    Table,
    Text,
)
from featkit.report.page.sizes import MEDIUM, NARROW, WIDE
from featkit.report.page.words import count, p_words, percent, signed, signed_cell, signed_words

__all__ = ["frozen_section"]

_DECLARED, _CHOSEN = Mark(0), Mark(1, hollow=True)


def frozen_section(contents: Contents) -> Section:
    """Return the paired differences on each backbone, where they cross, and tests over lesions."""
    found = contents.analysis.against
    parts: list[Part] = []
    if not found.declared:
        text = (
            "No backbone has both: heads on frozen features and fine-tuning on the same folds and "
            "draws. Train the other side with featkit finetune or featkit fit."
        )
        parts.append(Text(text, "note"))
    else:
        crossings = [
            Text(_on(contents, item.backbone) + _sentence(item.phrase()))
            for item in found.crossings
        ]
        parts = [_figure(contents), *crossings]
    return Section("frozen", "Frozen features against fine-tuning", "Frozen or fine-tuned", parts)


def _on(contents: Contents, backbone: str) -> str:
    return f"{backbone}: " if len(contents.look.backbones) > 1 else ""


def _sentence(phrase: str) -> str:
    return phrase[:1].upper() + phrase[1:] + "."


def _figure(contents: Contents) -> Figure:
    found, comparison, look = (
        contents.analysis.against,
        contents.comparison,
        contents.look,
    )
    title = METRICS[comparison.metric].title.lower()
    families = (("declared pair", _DECLARED, found.declared), ("chosen", _CHOSEN, found.chosen))
    low, high = estimates_span(
        [item.difference for _, _, items in families for item in items], fallback=(-0.1, 0.1)
    )
    y = score_axis(f"Difference in {title}", min(low, 0.0), max(high, 0.0), signed=True)
    backbones = list(dict.fromkeys(item.backbone for item in found.declared))
    panels = []
    for backbone in backbones:
        lines = [
            _line(name, mark, [item for item in items if item.backbone == backbone])
            for name, mark, items in families
        ]
        shown = [line for line in lines if line.points]
        panels.append(_panel(contents, backbone, shown, y, alone=len(backbones) == 1))
    pairs = dict.fromkeys(
        f"{look.name(item.finetuned)} minus {look.name(item.frozen)}" for item in found.declared
    )
    legend = [Legend(swatch(_DECLARED), f"Named in advance: {', '.join(pairs)}")]
    if found.chosen:
        legend.append(Legend(swatch(_CHOSEN), "Best of each side, chosen inside the budget"))
    caption = (
        "Above zero fine-tuning scores higher, below zero frozen features do. Whiskers are 95% "
        "intervals, paired on the same test lesions and training draws. The best of each side is "
        "chosen by held-out predictions inside the budget, so that no test image picks a winner."
    )
    return Figure(
        "Fine-tuned minus frozen, by label budget",
        panels,
        caption,
        legend=legend,
        tables=[
            _contrasts("The pair named in advance", found.declared),
            _contrasts("The best of each side, chosen inside the budget", found.chosen),
            _contrasts("All other pairs", found.others),
            *_lesion_tests(found.lesion_tests),
            *_recovered(contents),
        ],
    )


def _line(name: str, mark: Mark, items: Sequence[Contrast]) -> Line:
    points = [
        Point(
            item.budget,
            item.difference.value,
            item.difference.low,
            item.difference.high,
            f"{percent(item.budget)}: {signed_words(item.difference)}\n"
            f"{p_words(item.p_holm)} after Holm",
        )
        for item in sorted(items, key=lambda item: item.budget)
    ]
    return Line(name, mark, points)


def _panel(
    contents: Contents, backbone: str, lines: Sequence[Line], y: Axis, *, alone: bool
) -> Panel:
    said = "; ".join(f"{percent(p.x)}: {signed(p.y)}" for line in lines[:1] for p in line.points)
    charts = [
        line_chart(
            lines,
            x=budget_axis(contents.comparison),
            y=y,
            rules=[Rule(0.0, "no difference")],
            whiskers=True,
            width=width,
            height=height,
            label=f"Fine-tuned minus frozen on {backbone}, by label budget: {said}.",
        )
        for width, height in ((WIDE if alone else MEDIUM), NARROW)
    ]
    return Panel("" if alone else backbone, *charts)


def _contrasts(caption: str, items: Sequence[Contrast]) -> Table:
    columns = [Column("Fine-tuned against frozen", number=False)]
    columns += [
        Column(name) for name in ("Budget", "Lesions", "Difference", "p (Holm)", "Runs of each")
    ]
    columns.append(Column("Clearly ahead", number=False))
    rows = [
        [
            Cell(item.finetuned, item.frozen),
            Cell(percent(item.budget)),
            Cell(count(item.train_lesions)),
            signed_cell(item.difference),
            Cell(p_words(item.p_holm)),
            Cell(count(item.runs)),
            Cell(item.winner or "neither"),
        ]
        for item in items
    ]
    note = "" if rows else "There are none."
    return Table(caption, columns, rows, note=note)


def _lesion_tests(items: Sequence[LesionTest]) -> list[Table]:
    if not items:
        return []
    names = ("Budget", "Lesions", "Only fine-tuned right", "Only frozen right", "p (Holm)")
    return [
        Table(
            "McNemar's test over lesions, pair named in advance",
            [
                Column("Fine-tuned against frozen", number=False),
                *(Column(name) for name in names),
            ],
            [
                [
                    Cell(item.finetuned, item.frozen),
                    Cell(percent(item.budget)),
                    Cell(count(item.lesions)),
                    Cell(count(item.only_finetuned)),
                    Cell(count(item.only_frozen)),
                    Cell(p_words(item.p_holm)),
                ]
                for item in items
            ],
        )
    ]


def _recovered(contents: Contents) -> list[Table]:
    items = contents.analysis.recovered
    if not items:
        return []
    rows = [
        [
            Cell(item.method, f"0% = {item.frozen}\n100% = {item.finetuned}"),
            Cell(percent(item.budget)),
            Cell(f"{item.share.value:.0%}", f"[{item.share.low:.0%}, {item.share.high:.0%}]"),
        ]
        for item in items
    ]
    columns = [Column("Method", number=False), Column("Budget"), Column("Share of the gain")]
    return [Table("Share of fine-tuning's gain that other methods recover", columns, rows)]
