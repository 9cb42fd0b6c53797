"""Section: the most confident mistakes, and images that every method gets wrong."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.comparison import HardImage, Mistake
from featkit.report.page.contents import Contents
from featkit.report.page.parts import (
    Cell,
    Column,
    Gallery,
    Part,
    Picture,
    Section,
    Table,
    Text,
)
from featkit.report.page.words import count, digits, percent

__all__ = ["mistakes_section", "shown_images"]

_SHOWN = 12


def shown_images(contents: Contents) -> list[str]:
    """Return the ids of the images that the section names, each once."""
    found = contents.analysis.mistakes
    ids = [item.image_id for method in contents.leaders for item in _confident(contents, method)]
    return list(dict.fromkeys([*ids, *(item.image_id for item in found.hard[:_SHOWN])]))


def mistakes_section(contents: Contents) -> Section:
    """Return mistakes as pictures where thumbnails are at hand, as tables otherwise."""
    found = contents.analysis.mistakes
    parts: list[Part] = [
        Text(
            "A confident mistake may be a hard lesion, an odd photograph, or a wrong label. "
            "Probabilities are means over draws, before any scaling."
        )
    ]
    for method in contents.leaders:
        if method in found.confident:
            title = (
                f"{contents.look.name(method)} at {percent(found.budget)}: the most confident of "
                f"{count(found.wrong[method])} mistakes"
            )
            items = _confident(contents, method)
            parts += _confident_part(contents, title, items)
    if found.rows > 1:
        title = (
            f"{count(found.hard_images)} of {count(found.test_images)} images are wrong with all "
            f"{count(found.rows)} methods; those with the least probability for their class"
        )
        parts += _hard_part(contents, title, found.hard[:_SHOWN])
    return Section("mistakes", "The most confident mistakes", "Mistakes", parts)


def _confident(contents: Contents, method: str) -> Sequence[Mistake]:
    return contents.analysis.mistakes.confident.get(method, ())[:_SHOWN]


def _confident_part(contents: Contents, title: str, items: Sequence[Mistake]) -> list[Part]:
    if not items:
        return []
    if contents.thumbnails:
        pictures = [
            Picture(
                contents.thumbnails.get(item.image_id, ""),
                f"Image {item.image_id}, {item.true}, taken for {item.predicted}",
                (
                    f"{item.true}, taken for {item.predicted}",
                    f"probability {digits(item.probability)}, "
                    f"of {item.true} {digits(item.probability_true)}",
                    item.image_id,
                ),
            )
            for item in items
        ]
        return [Gallery(title, pictures)]
    names = ("True class", "Taken for", "Lesion")
    numbers = ("Probability", "Probability of the true class")
    columns = [Column("Image", number=False), *(Column(name, number=False) for name in names)]
    rows = [
        [
            Cell(item.image_id),
            Cell(item.true),
            Cell(item.predicted),
            Cell(item.lesion),
            Cell(digits(item.probability)),
            Cell(digits(item.probability_true)),
        ]
        for item in items
    ]
    return [Table(title, [*columns, *(Column(name) for name in numbers)], rows)]


def _hard_part(contents: Contents, title: str, items: Sequence[HardImage]) -> list[Part]:
    if not items:
        return []
    rows = contents.analysis.mistakes.rows
    if contents.thumbnails:
        pictures = [
            Picture(
                contents.thumbnails.get(item.image_id, ""),
                f"Image {item.image_id}, {item.true}, mostly taken for {item.predicted}",
                (
                    f"{item.true}, mostly taken for {item.predicted}",
                    f"by {item.agreeing} of {rows} methods; "
                    f"mean probability of {item.true} {digits(item.probability_true)}",
                    item.image_id,
                ),
            )
            for item in items
        ]
        return [Gallery(title, pictures)]
    names = ("True class", "Mostly taken for", "Lesion")
    columns = [Column("Image", number=False), *(Column(name, number=False) for name in names)]
    columns += [Column("Methods agreeing"), Column("Mean probability of the true class")]
    cells = [
        [
            Cell(item.image_id),
            Cell(item.true),
            Cell(item.predicted),
            Cell(item.lesion),
            Cell(f"{item.agreeing} of {rows}"),
            Cell(digits(item.probability_true)),
        ]
        for item in items
    ]
    return [Table(title, columns, cells)]
