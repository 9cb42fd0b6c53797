"""Blocks of a page that a script writes, between `<!-- NAME -->` and `<!-- /NAME -->`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

__all__ = ["filled", "keep", "table"]


def filled(page: Path, blocks: Mapping[str, Callable[[], str]]) -> str:
    """Return a page with all its blocks written anew."""
    text = page.read_text()
    for name, make in blocks.items():
        opening, closing = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        if text.count(opening) != 1 or text.count(closing) != 1:
            sys.exit(f"{page.name} needs exactly one block {opening.strip()} … {closing}")
        before, rest = text.split(opening)
        text = before + opening + make() + "\n" + closing + rest.split(closing)[1]
    return text


def keep(page: Path, blocks: Mapping[str, Callable[[], str]], *, source: str) -> None:
    """Write a page's blocks anew; with `--check`, write nothing and fail where they differ.

    Args:
        page: The page.
        blocks: What makes each of its blocks.
        source: Where the numbers come from, for the message.
    """
    before, after = page.read_text(), filled(page, blocks)
    if "--check" in sys.argv:
        sys.exit(before != after and f"{page.name} differs from {source}")
    page.write_text(after)


def table(rows: Sequence[Sequence[str]], *, numbers: Sequence[int]) -> str:
    """Return a table whose first row is its head, the columns of numbers to the right."""
    line = ["---:" if column in numbers else "---" for column in range(len(rows[0]))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [rows[0], line, *rows[1:]])
