"""Paths in a study file: relative to the file, wherever the command is given."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["designs", "rebase"]

_KIND = re.compile(r"(?P<kind>\w[\w-]+):(?P<target>.+)")

_PATHLESS = ("synthetic",)


def rebase(raw: dict[str, Any], folder: Path) -> None:
    """Make the paths of a study, as read from its file, relative to `folder`, in place.

    These are `data.spec`, `data.images`, `data.lesions`, `duplicates` of a design, and backbones
    that are folders.
    """
    for design in designs(raw):
        if isinstance(design.get("duplicates"), str):
            design["duplicates"] = str(_below(folder, design["duplicates"]))
    data = raw.get("data")
    if isinstance(data, dict):
        for key in ("images", "lesions"):
            if isinstance(data.get(key), str):
                data[key] = str(_below(folder, data[key]))
        if isinstance(data.get("spec"), str):
            data["spec"] = _data(folder, data["spec"])
    backbones = raw.get("backbones")
    for backbone in backbones.values() if isinstance(backbones, dict) else ():
        if isinstance(backbone, dict) and isinstance(backbone.get("spec"), str):
            backbone["spec"] = _backbone(folder, backbone["spec"])


def designs(raw: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every design of a study as read from its file: its own and those of its arms."""
    arms = raw.get("arms")
    owners = [raw, *(arms.values() if isinstance(arms, dict) else ())]
    for owner in owners:
        if isinstance(owner, dict) and isinstance(owner.get("design"), dict):
            yield owner["design"]


def _data(folder: Path, spec: str) -> str:
    found = _KIND.fullmatch(spec)
    if spec in _PATHLESS or (found and found["kind"] in _PATHLESS):
        return spec
    if found:
        return f"{found['kind']}:{_below(folder, found['target'])}"
    return str(_below(folder, spec))


def _backbone(folder: Path, spec: str) -> str:
    if spec.startswith("local-dir:"):
        return f"local-dir:{_below(folder, spec.removeprefix('local-dir:'))}"
    return str(_below(folder, spec)) if spec.startswith((".", "~", "/")) else spec


def _below(folder: Path, path: str) -> Path | str:
    return path if "://" in path else folder / Path(path).expanduser()
