"""The study's own page: what was published, what the rerun has, what the proper design has."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from featkit.evaluate import METRICS
from featkit.files import atomic_path
from featkit.plans import leaks
from featkit.report import markdown_table
from featkit.report.page.parts import Cell, Column, Fact, Page, Section, Table, Text
from featkit.report.page.rendering import render
from featkit.studies._published import Found
from featkit.studies.schema import Published, Study

__all__ = ["ArmSummary", "write_summary"]

_LEAK = (
    "Random split: photographs of one lesion on both sides, so the scores are too high. The arm is "
    "there to rerun what was published, not to be believed."
)


@dataclass(frozen=True)
class ArmSummary:
    """What the study's page says of one arm.

    Attributes:
        name: The arm's.
        note: What it is there for.
        report: Its report, relative to the study's folder.
        split: The Plan's way of splitting.
        test_images: Number of test images.
        test_lesions: Number of their lesions.
        metric: The main one.
        best_method: The best method at the largest budget.
        best_budget: That budget, in percent.
        best_score: Its score in the main metric, with interval.
        published: What it has for each published number.
    """

    name: str
    note: str
    report: str
    split: str
    test_images: int
    test_lesions: int
    metric: str
    best_method: str
    best_budget: float
    best_score: str
    published: tuple[Found | None, ...]

    @property
    def title(self) -> str:
        """`NAME (SPLIT split)`, loud where it leaks."""
        return f"{self.name} ({'RANDOM' if self.split == 'random' else self.split} split)"


def write_summary(study: Study, arms: Sequence[ArmSummary], folder: Path) -> list[dict[str, str]]:
    """Write `study.html` and `study.md`, and return the table of published numbers as rows."""
    rows = [*_published_rows(study, arms), *_best_rows(study, arms)]
    with atomic_path(folder / "study.md") as temporary:
        temporary.write_text(_markdown(study, arms, rows), encoding="utf-8")
    with atomic_path(folder / "study.html") as temporary:
        temporary.write_text(render(_page(study, arms, rows)), encoding="utf-8")
    return rows


def _published_rows(study: Study, arms: Sequence[ArmSummary]) -> list[dict[str, str]]:
    return [
        {
            "what": f"{row.what} ({METRICS[row.metric].title.lower()})",
            "published": _number(row.value),
            **{arm.title: _cell(row, arm.published[index]) for arm in arms},
        }
        for index, row in enumerate(study.published)
    ]


def _best_rows(study: Study, arms: Sequence[ArmSummary]) -> list[dict[str, str]]:
    """Return a row for the best of each arm in the main metric."""
    title = METRICS[arms[0].metric].title.lower()
    return [
        {
            "what": f"best method at the largest budget ({title})",
            "published": "–",
            **{
                arm.title: f"{arm.best_score}; {arm.best_method} at {arm.best_budget:g}%"
                for arm in arms
            },
        }
    ]


def _cell(published: Published, found: Found | None) -> str:
    if found is None:
        return "not run"
    text = _number(found.value)
    if not math.isnan(found.low):
        text += f" [{_number(found.low)}, {_number(found.high)}]"
    if published.metric != "balanced_accuracy":
        text += f"; balanced accuracy {_number(found.balanced_accuracy)}"
    if len(found.methods) > 1:
        return f"{text}; mean of {len(found.methods)} backbones"
    chosen = f", best of {found.candidates} on these test images" if found.candidates > 1 else ""
    return f"{text}; {found.methods[0]}{chosen}"


def _number(value: float) -> str:
    return f"{value:.3f}"


def _markdown(study: Study, arms: Sequence[ArmSummary], rows: Sequence[dict[str, str]]) -> str:
    lines = [f"# {study.name}", "", study.note.strip(), "", markdown_table(rows)]
    for arm in arms:
        lines += [f"## {arm.title}", ""]
        lines += [f"**{_LEAK}**", ""] if leaks(arm.split) else []
        lines += [arm.note, ""] if arm.note else []
        lines += [f"{_tested(arm)} Report: [{arm.report}]({arm.report}).", ""]
    return "\n".join(lines)


def _page(study: Study, arms: Sequence[ArmSummary], rows: Sequence[dict[str, str]]) -> Page:
    table = Table(
        caption="Published numbers and the study's own, with 95% intervals",
        columns=[Column(name, number=False) for name in rows[0]],
        rows=[[_page_cell(text) for text in row.values()] for row in rows],
        note="Intervals: bootstrap over test lesions and draws.",
    )
    sections = [
        Section("numbers", "Published, rerun, and done properly", "Numbers", [table]),
        Section("note", "What the original did, and what differs", "Note", _paragraphs(study.note)),
    ]
    for arm in arms:
        warning = [Text(_LEAK, tone="warning")] if leaks(arm.split) else []
        parts = [*warning, *_paragraphs(arm.note), Text(f"{_tested(arm)} Report: {arm.report}")]
        sections.append(Section(f"arm-{arm.name}", f"Arm {arm.title}", arm.name, parts))
    random = [arm.name for arm in arms if leaks(arm.split)]
    return Page(
        title=f"featkit study: {study.name}",
        question=f"Study {study.name}: published, rerun, and done properly",
        answer=_answer(rows[0]),
        caveats=(),
        warning=f"Arm {', '.join(random)}: {_LEAK[0].lower()}{_LEAK[1:]}" if random else "",
        facts=[
            Fact(arm.best_score, METRICS[arm.metric].title, f"best of arm {arm.title}")
            for arm in arms
        ],
        sections=sections,
        foot="Made by `featkit run`.",
    )


def _answer(row: dict[str, str]) -> str:
    """Return the table's first row as a sentence."""
    what, *columns = row
    values = [f"{name} {row[name].partition('; ')[0]}" for name in columns if row[name] != "–"]
    return f"{row[what]}: {', '.join(values)}."


def _page_cell(text: str) -> Cell:
    """Return a cell with the score in front and what belongs to it below."""
    score, _, rest = text.partition("; ")
    return Cell(score, note=rest)


def _paragraphs(text: str) -> list[Text]:
    return [Text(" ".join(part.split())) for part in text.split("\n\n") if part.strip()]


def _tested(arm: ArmSummary) -> str:
    return f"Tested on {arm.test_images:,} images of {arm.test_lesions:,} lesions."
