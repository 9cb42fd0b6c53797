"""From a value in TOML to the text that would stand on the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from featkit_cli.options import kinds

__all__ = ["WrongValue", "as_given"]

_PATHS = frozenset({"DIR", "FILE", "DATA"})
"""Metavars of texts that are paths."""

_PATH_STARTS = ("./", "../", "~")
"""What tells the path of a backbone from a name."""


class WrongValue(Exception):  # noqa: N818
    """A value of a type that the option does not take; its text says which it takes."""


def as_given(option: Any, value: object, *, folder: Path, is_path: bool) -> object:
    """Return what the command line would give of an option.

    Args:
        option: As Typer made it.
        value: As TOML has it.
        folder: Where relative paths start.
        is_path: Whether the option's type is a path.

    Returns:
        A text, a list of texts where the option may be repeated, or true or false for a flag.

    Raises:
        WrongValue: Its type is not the option's.
    """
    if option.is_flag:
        if not isinstance(value, bool):
            raise WrongValue("it is a switch: true or false")
        return value
    metavar = option.metavar or ""
    if option.multiple:
        texts = list(_several(value, metavar))
    elif isinstance(value, list) and (metavar == "LIST" or "," in metavar):
        texts = [",".join(map(_text, value))]
    else:
        texts = [_text(value)]
    placed = [_placed(text, metavar, folder, is_path=is_path) for text in texts]
    return placed if option.multiple else placed[0]


def _several(value: object, metavar: str) -> Iterator[str]:
    """Yield the texts of an option that may be repeated."""
    if isinstance(value, Mapping) and "=" in metavar:
        yield from (f"{name}={text}" for name, text in _flat(value))
    elif isinstance(value, list):
        yield from map(_text, value)
    else:
        yield _text(value)


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield a table's values by their dotted names."""
    for name, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield prefix + name, ",".join(map(_text, value))
        elif isinstance(value, bool):
            yield prefix + name, str(value).lower()
        else:
            yield prefix + name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise WrongValue("it takes a text or a number")


def _placed(text: str, metavar: str, folder: Path, *, is_path: bool) -> str:
    """Return a text; its path, if it is one or ends with one, starts at the folder."""
    kind, colon, rest = text.partition(":")
    if "://" in text or (metavar == "DATA" and kind == "synthetic"):
        return text
    if colon and _before_path(kind, metavar):
        return f"{kind}:{folder / Path(rest).expanduser()}"
    local = metavar == "SPEC" and text.startswith(_PATH_STARTS)
    if is_path or local or metavar in _PATHS:
        return str(folder / Path(text).expanduser())
    return text


def _before_path(kind: str, metavar: str) -> bool:
    """Tell whether what stands behind the colon is a path."""
    return (metavar == "SPEC" and kind == "local-dir") or (metavar == "DATA" and kind in kinds())
