"""`featkit backbones`: which backbones there are."""

from __future__ import annotations

from typing import Annotated

import typer

from featkit.errors import UsageError
from featkit_cli import console
from featkit_cli.options import Json

__all__ = ["backbones"]


def backbones(
    pattern: Annotated[
        str | None,
        typer.Argument(metavar="[PATTERN]", help="Part of a name, or a pattern like '*dinov2*'."),
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=1, help="Rows at most.")] = 20,
    as_json: Json = False,
) -> None:
    """List backbones with parameters, feature dimension, input size and cached weights."""
    from dataclasses import asdict

    from featkit.backbones import list_backbones

    found = list_backbones(pattern, limit=limit)
    for problem in found.problems:
        console.warn(problem)
    if as_json:
        console.print_json([asdict(info) for info in found.rows])
        return
    if not found.rows:
        raise UsageError(
            f"no backbone matches {pattern!r}",
            cause="no source has such a name",
            remedy="Try a shorter part of the name",
        )
    rows = [
        {
            "backbone": info.spec,
            "parameters": "?" if info.parameters is None else f"{info.parameters / 1e6:.1f} M",
            "dimension": "?" if info.dimension is None else f"{info.dimension:,}",
            "input": "×".join(map(str, info.input_size or "?")),
            "weights": "cached" if info.cached else "to download",
        }
        for info in found.rows
    ]
    console.show_table(rows, left=["backbone", "weights"])
    if found.total > len(found.rows):
        console.note(f"{len(found.rows)} of {found.total:,}: give a PATTERN or a higher --limit")
