"""What is said of a value that an option does not take: as TOML has it, with the cause."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from featkit.errors import UsageError

__all__ = ["as_toml", "refused"]


def refused(
    path: Path, words: tuple[str, ...], key: str, value: object, error: Exception
) -> UsageError:
    """Return the error that names the file, the table and the value.

    Args:
        path: The file.
        words: The command's name.
        key: The option as the file writes it.
        value: Its value.
        error: What was raised of it.
    """
    if isinstance(error, UsageError):
        cause, remedy = error.cause, error.remedy
    else:
        cause = str(getattr(error, "message", error)).removeprefix("Value error, ")
        remedy = f"See `featkit {' '.join(words)} --help`"
    return UsageError(
        f"{path}: [{'.'.join(words)}] {key} = {as_toml(value)}",
        cause=cause.rstrip("."),
        remedy=remedy,
    )


def as_toml(value: object) -> str:
    """Return a value on one line, as a TOML file writes it."""
    if isinstance(value, Mapping):
        pairs = (f"{name} = {as_toml(each)}" for name, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(as_toml, value))}]"
    if isinstance(value, str):
        plain = value.isprintable() and "'" not in value
        return f"'{value}'" if plain else json.dumps(value, ensure_ascii=False)
    return str(value).lower() if isinstance(value, bool) else _date_or_number(value)


def _date_or_number(value: object) -> str:
    written = getattr(value, "isoformat", None)
    return str(written()) if written is not None else str(value)
