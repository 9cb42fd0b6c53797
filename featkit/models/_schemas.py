"""Schemas of `model.json`: those of before are brought up to the one of today."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from featkit.errors import ModelError
from featkit.models._files import damaged

__all__ = ["SCHEMA", "upgraded"]

SCHEMA = 1
"""Raise it when a reader of today could misread the file, and add the step below."""

_STEPS: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = MappingProxyType({})
"""By schema: what makes the facts of the next one."""


def upgraded(facts: dict[str, Any], schema: object, folder: Path) -> dict[str, Any]:
    """Return facts of any schema so far as those of today.

    Raises:
        ModelError: The schema is newer, or none.
    """
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise damaged(folder, f"its schema is {schema!r}")
    if schema > SCHEMA:
        raise ModelError(
            f"{folder} has schema {schema}",
            cause=f"a newer featkit wrote it, this one reads up to {SCHEMA}",
            remedy="Update featkit",
        )
    for number in range(schema, SCHEMA):
        facts = _STEPS[number](facts)
    return facts
