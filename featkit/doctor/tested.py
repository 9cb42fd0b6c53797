"""The versions that featkit was tested with, which `scripts/tested_versions.py` keeps."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Tested", "tested_versions"]


@dataclass(frozen=True)
class Tested:
    """Versions that the tests pass with.

    Attributes:
        python: Releases of Python, such as `3.12`.
        packages: The version of each distribution that featkit uses itself, by its name.
    """

    python: tuple[str, ...]
    packages: Mapping[str, str]


def tested_versions() -> Tested:
    """Return the versions that this featkit was tested with."""
    facts = json.loads(Path(__file__).with_name("tested.json").read_text(encoding="utf-8"))
    return Tested(tuple(facts["python"]), facts["packages"])
