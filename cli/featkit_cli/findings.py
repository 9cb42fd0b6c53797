"""What `data info` and `data check` find, shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from featkit_cli import console

if TYPE_CHECKING:
    from featkit.data import ClassRow, DatasetCheck

__all__ = ["show_classes", "show_findings"]

#: Items of a list that are shown; the rest is in --json.
SHOWN = 5


def show_classes(name: str, images: int, lesions: int, rows: Sequence[ClassRow]) -> None:
    """Show images and lesions by class."""
    shown = [
        {
            "class": row.name,
            "images": f"{row.images:,}",
            "share": f"{row.share:.1%}",
            "lesions": f"{row.lesions:,}",
            "images a lesion": f"{row.images_per_lesion:.2f}",
        }
        for row in rows
    ]
    title = f"{name}: {images:,} images of {lesions:,} lesions"
    console.show_table(shown, title=title, left=["class"])


def show_findings(found: DatasetCheck) -> None:
    """Show what a check found, a line each."""
    sizes = [f"{width}×{height} ({count:,})" for (width, height), count in found.sizes.items()]
    crossing = [group for group in found.duplicates if group.crosses_lesions]
    relabelled = [group for group in found.duplicates if group.crosses_classes]
    _line("sizes in pixels", sizes, bad=False)
    _line("missing files", found.missing)
    _line("files that no row uses", found.unlisted)
    _line("unreadable", [f"{name} ({why})" for name, why in found.unreadable.items()])
    _line("exact duplicates", ["=".join(group.image_id) for group in found.duplicates])
    _line("… across lesions, merged before any split", ["=".join(g.lesions) for g in crossing])
    _line("… with different labels", ["=".join(group.image_id) for group in relabelled])
    _line("lesions with several labels", list(found.ambiguous_lesions))


def _line(what: str, items: Sequence[str], *, bad: bool = True) -> None:
    colour = "yellow" if items and bad else "green"
    rest = f" … and {len(items) - SHOWN:,} more" if len(items) > SHOWN else ""
    listed = f": {', '.join(items[:SHOWN])}{rest}" if items else ""
    console.stdout().print(f"[{colour}]{len(items):>6,}[/] {what}{console.escape(listed)}")
