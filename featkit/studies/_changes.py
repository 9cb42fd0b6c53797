"""What was changed in a study since its folder was last worked on."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from featkit.files import write_json
from featkit.studies.schema import Study

__all__ = ["changes_since", "remember"]

_SCHEMA = 1


def remember(study: Study, path: Path) -> None:
    """Write the study as it was resolved."""
    write_json(path, {"schema": _SCHEMA, "study": study.model_dump(mode="json")})


def changes_since(path: Path, study: Study) -> list[str]:
    """Return each key that differs from the remembered study, as `KEY: OLD -> NEW`.

    A study that was never remembered, or by another version of this file, has no changes: the
    work itself is found by what is there.
    """
    try:
        known = json.loads(path.read_text(encoding="utf-8"))
        before = known["study"] if known["schema"] == _SCHEMA else None
    except (OSError, ValueError, LookupError, TypeError):
        return []
    if not isinstance(before, Mapping):
        return []
    return list(_differences(before, study.model_dump(mode="json"), ""))


def _differences(old: Mapping[str, Any], new: Mapping[str, Any], above: str) -> Iterator[str]:
    for name in {**old, **new}:
        key = f"{above}{name}"
        if name not in new:
            yield f"{key}: removed; what it left stays in the folder"
        elif name not in old:
            yield f"{key}: added"
        elif isinstance(old[name], Mapping) and isinstance(new[name], Mapping):
            yield from _differences(old[name], new[name], f"{key}.")
        elif old[name] != new[name]:
            yield f"{key}: {_short(old[name])} -> {_short(new[name])}"


def _short(value: object) -> str:
    if value is None:
        return "default"
    if isinstance(value, list):
        return ",".join(_short(item) for item in value) or "none"
    if isinstance(value, float):
        return f"{value:g}"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
