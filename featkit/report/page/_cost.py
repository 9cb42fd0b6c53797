"""Section: score against cost, and what each method costs."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.comparison import ParetoPoint
from featkit.evaluate import METRICS
from featkit.report.charts import Axis, Dot, Tick, enclosing, scatter_chart
from featkit.report.page.axes import estimates_span, score_axis
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Cell, Column, Figure, Panel, Part, Section, Table, Text
from featkit.report.page.sizes import MEDIUM, NARROW
from featkit.report.page.words import clock, count, digits, interval_words, percent, score_cell

__all__ = ["cost_section"]

#: Seconds that people read easily, about a factor of ten apart.
_TIMES = (0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000, 3_600_000, 36_000_000)
_LEAST_S = _TIMES[0]


def cost_section(contents: Contents) -> Section:
    """Return the fronts at both prices of frozen features, and a table of costs."""
    found = contents.analysis.pareto
    parts: list[Part] = []
    if len(found.devices) > 1:
        text = (
            f"Runs were trained on different devices ({', '.join(found.devices)}): their seconds "
            "do not compare, and neither do the fronts below."
        )
        parts.append(Text(text, "warning"))
    parts += [_figure(contents), _costs(contents)]
    if found.left_out:
        parts.append(Text(f"Left out, with fewer Runs: {'; '.join(found.left_out)}.", "note"))
    return Section("cost", "Score against cost", "Cost", parts)


def _figure(contents: Contents) -> Figure:
    found, metric = contents.analysis.pareto, METRICS[contents.comparison.metric]
    prices = (
        ("Each Run pays for all its features", found.alone),
        ("All Runs share one extraction", found.shared),
    )
    every = [point for _, points in prices for point in points]
    low, high = estimates_span([point.score for point in every])
    seconds = [max(point.seconds, _LEAST_S) for point in every] or [1.0]
    ticks = [Tick(value, clock(value)) for value in enclosing(_TIMES, seconds)]
    x = Axis("Device time of a Run", ticks, log=True)
    y = score_axis(metric.title, low, high)
    panels = [
        Panel(
            title,
            *(
                scatter_chart(
                    _dots(contents, points, named=width > NARROW[0]),
                    x=x,
                    y=y,
                    width=width,
                    height=height,
                    label=_in_words(contents, title, points),
                )
                for width, height in (MEDIUM, NARROW)
            ),
        )
        for title, points in prices
    ]
    caption = (
        "Each mark is a method at one label budget; the stepped line is the front: no other mark "
        "scores as high for less. "
        "First: a Run by itself pays for the features of all its training images. Second: all Runs "
        "on the same features pay for one extraction together."
    )
    return Figure(
        f"{metric.title} against device time, logarithmic",
        panels,
        caption,
        legend=contents.look.legend(contents.comparison.methods),
        tables=[_table(contents, title, points) for title, points in prices],
    )


def _dots(contents: Contents, points: Sequence[ParetoPoint], *, named: bool) -> list[Dot]:
    look = contents.look
    dots = []
    for point in points:
        tip = (
            f"{look.name(point.method)}, {percent(point.budget)}\n"
            f"{interval_words(point.score)}\n{clock(point.seconds)}"
        )
        dots.append(
            Dot(
                x=max(point.seconds, _LEAST_S),
                y=point.score.value,
                low=point.score.low,
                high=point.score.high,
                mark=look.mark(point.method),
                name=look.kind(point.method) if point.on_front and named else "",
                tip=tip,
                front=point.on_front,
            )
        )
    return dots


def _in_words(contents: Contents, title: str, points: Sequence[ParetoPoint]) -> str:
    front = sorted((p for p in points if p.on_front), key=lambda p: p.seconds)
    said = "; ".join(
        f"{contents.look.name(p.method)} at {percent(p.budget)}, {digits(p.score.value)} in "
        f"{clock(p.seconds)}"
        for p in front
    )
    return f"Scatter chart of score against device time. {title}. On the front: {said}."


def _table(contents: Contents, title: str, points: Sequence[ParetoPoint]) -> Table:
    names = ("Budget", "Score", "Device time", "On the front", "Share of resamples on it")
    rows = [
        [
            Cell(contents.look.name(point.method)),
            Cell(percent(point.budget)),
            score_cell(point.score),
            Cell(clock(point.seconds)),
            Cell("yes" if point.on_front else "no", strong=point.on_front),
            Cell(f"{point.p_front:.0%}"),
        ]
        for point in points
    ]
    columns = [Column("Method", number=False), *(Column(name) for name in names)]
    return Table(title, columns, rows)


def _costs(contents: Contents) -> Table:
    at = contents.comparison.budgets[-1]
    cells = [cell for cell in contents.comparison.cells if cell.budget == at]
    names = (
        "Wall time of a Run",
        "Device time",
        "Features for it",
        "Images seen",
        "Trained parameters",
        "Peak memory",
        "Device",
    )
    rows = [
        [
            Cell(contents.look.name(cell.method)),
            Cell(clock(cell.wall_s)),
            Cell(clock(cell.device_s)),
            Cell(clock(cell.features_s) if cell.frozen else "–"),
            Cell(count(cell.images_seen)),
            Cell(count(cell.parameters_trained)),
            Cell(f"{count(cell.peak_memory_mb)} MiB"),
            Cell(", ".join(cell.devices)),
        ]
        for cell in cells
    ]
    columns = [Column("Method", number=False), *(Column(name) for name in names)]
    return Table(f"Cost of a Run at {percent(at)} of the training lesions", columns, rows)
