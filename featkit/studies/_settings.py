"""Settings of the command line: `--set KEY=VALUE` in a study before it is checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from typing import Any

from featkit.studies._problems import refuse

__all__ = ["apply_settings"]

_ALL = "*"


def apply_settings(raw: dict[str, Any], settings: Sequence[str]) -> None:
    """Change a study, as read from its file, in place.

    A key is a path with dots; `*` stands for every name at its place. A value is TOML or else text;
    where a list is wanted, text with commas between is one (`1,5,25`).

    Raises:
        UsageError: A setting without `=`, a name that the study has not, or a key of the study's
            design that an arm states for itself, so that the setting would have no effect.
    """
    for setting in settings:
        key, equals, text = setting.partition("=")
        where, path = f"--set {setting}", key.strip().split(".")
        if not equals or not all(path):
            refuse(where, "", "it is not KEY=VALUE", "Write, for example, --set design.draws=1")
        _refuse_overruled(raw, path, where)
        places = list(_places(raw, path[:-1], where))
        for place in places:
            place[path[-1]] = _value(text.strip())


def _places(node: dict[str, Any], path: Sequence[str], where: str) -> Iterator[dict[str, Any]]:
    """Yield the tables that a path means."""
    if not path:
        yield node
        return
    first, rest = path[0], path[1:]
    if first == _ALL:
        tables = [child for child in node.values() if isinstance(child, dict)]
    else:
        tables = [_table(node, first, where)]
    for table in tables:
        yield from _places(table, rest, where)


def _table(node: dict[str, Any], name: str, where: str) -> dict[str, Any]:
    # A missing table is made: `--set design.draws=1` needs no [design] in the file.
    table = node.setdefault(name, {})
    if not isinstance(table, dict):
        refuse(where, name, "it is a value and no table", "Name the whole key")
    return table


def _refuse_overruled(raw: dict[str, Any], path: list[str], where: str) -> None:
    if path[0] != "design" or len(path) != 2:
        return
    for name, arm in raw.get("arms", {}).items():
        if isinstance(arm, dict) and path[1] in arm.get("design", {}):
            refuse(
                where,
                "",
                f"arm {name} states {path[1]} for itself, so the setting would not reach it",
                f"Set arms.{name}.design.{path[1]}, or arms.*.design.{path[1]} for all arms",
            )


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
