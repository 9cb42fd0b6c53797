from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from featkit.doctor._checks import run_check
from featkit.doctor.finding import Finding


@pytest.fixture
def look(tmp_path: Path) -> Callable[..., dict[str, Finding]]:
    """Return a runner of one check in this process: its findings by name."""

    def run(name: str, out: Path | None = None) -> dict[str, Finding]:
        return {each.name: each for each in run_check(name, out or tmp_path / "out")}

    return run


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that comes first where Python looks for packages; what is loaded from it, goes."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    yield folder
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(folder)):
            del sys.modules[name]


@pytest.fixture
def distribution(site: Path) -> Callable[..., None]:
    """Return a maker of installed distributions: metadata, and a module where there is code."""

    def make(
        name: str,
        version: str,
        *,
        requires: tuple[str, ...] = (),
        extras: tuple[str, ...] = (),
        code: str | None = None,
    ) -> None:
        stem = name.replace("-", "_")
        info = site / f"{stem}-{version}.dist-info"
        info.mkdir()
        lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        lines += [f"Provides-Extra: {extra}" for extra in extras]
        lines += [f"Requires-Dist: {each}" for each in requires]
        (info / "METADATA").write_text("\n".join(lines) + "\n")
        if code is not None:
            (site / f"{stem}.py").write_text(code)

    return make
