"""Environments of rivals whose dependencies do not go together with featkit's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.harness import Absent, Settings
from benchmarks.material import cache

__all__ = ["RIVALS", "thingsvision_python"]

RIVALS = ("thingsvision",)
"""Rivals with an environment of their own."""

_VARIABLE = "BENCH_THINGSVISION_PYTHON"
_REQUIREMENT = "thingsvision==2.7.3"
_PYTHONS = ("3.11", "3.10")
"""Its tensorflow and torch have no wheels for later ones."""


def thingsvision_python(settings: Settings) -> Path | Absent:
    """Return the interpreter of an environment that holds thingsvision, or why there is none.

    That of the variable BENCH_THINGSVISION_PYTHON; else the one in `.benchmarks/thingsvision`,
    which is made (some GB from PyPI) where the settings allow it.
    """
    named = os.environ.get(_VARIABLE)
    if named:
        return Path(named) if Path(named).exists() else _absent(f"{_VARIABLE} names no file")
    folder = cache() / "thingsvision"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if ready.exists():
        return python
    if "thingsvision" not in settings.install:
        return _absent("not installed; `--rivals thingsvision` makes an environment for it")
    settings.watcher.notes(f"installing {_REQUIREMENT} into {folder}")
    try:
        _install(folder, python)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        return _absent(f"could not be installed: {said.strip().splitlines()[-1]}")
    ready.touch()
    return python


def _absent(reason: str) -> Absent:
    return Absent("thingsvision", reason)


def _install(folder: Path, python: Path) -> None:
    """Make the environment by plain pip, as its manual says, so that all versions are its own."""
    _run([_base_python(), "-m", "venv", "--clear", str(folder)])
    _run([str(python), "-m", "pip", "install", "--quiet", _REQUIREMENT])
    _run([str(python), "-c", "import thingsvision"])


def _base_python() -> str:
    for version in _PYTHONS:
        if sys.version.startswith(f"{version}."):
            return sys.executable
    return f"python{_PYTHONS[0]}"


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
