"""Where material lies."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SHARED", "cache"]

_ROOT = Path(__file__).resolve().parents[2]

SHARED = _ROOT.parent / "shared"
"""Real images and weights, no part of the repository; benchmarks run without them as well."""

_CACHE = _ROOT / ".benchmarks"


def cache() -> Path:
    """Return the folder of what benchmarks keep between runs: features, environments of rivals.

    It tells git to ignore it.
    """
    _CACHE.mkdir(exist_ok=True)
    (_CACHE / ".gitignore").write_text("*\n")
    return _CACHE
