"""`featkit plugins`: what other distributions add."""

from __future__ import annotations

from featkit_cli import console
from featkit_cli.options import Json

__all__ = ["plugins"]


def plugins(as_json: Json = False) -> None:
    """List data sets, backbones and heads that other distributions add, each tried."""
    from dataclasses import asdict

    from featkit.backbones import SOURCES
    from featkit.data.readers import READERS
    from featkit.heads import HEADS

    with console.working("importing"):
        found = [plugin for shelf in (READERS, SOURCES, HEADS) for plugin in shelf.plugins()]
    if as_json:
        console.print_json([asdict(plugin) for plugin in found])
        return
    if not found:
        console.say("No installed distribution adds anything to featkit.")
        return
    rows = [
        {
            "group": plugin.group,
            "name": plugin.name,
            "from": plugin.distribution,
            "state": plugin.problem or "works",
        }
        for plugin in found
    ]
    console.show_table(rows, left=list(rows[0]))
