"""Python, featkit itself, the libraries it cannot do without, and its extras."""

from __future__ import annotations

import importlib
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from pathlib import Path

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

from featkit.doctor._requirements import installed, needs, plain, too_old
from featkit.doctor.finding import Finding, said
from featkit.doctor.tested import tested_versions

__all__ = ["extras", "libraries", "python"]

_MODULES = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
}
"""Modules whose name is not that of their distribution."""


def python(out: Path) -> Iterator[Finding]:
    """Look at Python, at how it writes text, and at how featkit is installed."""
    release = ".".join(map(str, sys.version_info[:2]))
    known = tested_versions().python
    yield Finding(
        "Python",
        f"{platform.python_version()} at {sys.executable}",
        "good" if release in known else "warn",
        "" if release in known else f"Not tested; use Python {' or '.join(known)}",
    )
    yield Finding("system", platform.platform())
    encoding = (sys.getfilesystemencoding() or "").lower()
    if encoding.replace("-", "") != "utf8":
        yield Finding(
            "names of files",
            f"are {encoding}, so that some cannot be written",
            "warn",
            "Set PYTHONUTF8=1, or LC_ALL=C.UTF-8",
        )
    place = Path(__file__).parents[1]
    found = installed("featkit")
    if found is None:
        yield Finding(
            "featkit",
            f"found by its path, {place}, and not installed",
            "warn",
            "Install it, so that its requirements are known: pip install featkit",
        )
    else:
        yield Finding("featkit", f"{found} at {place}")


def libraries(out: Path) -> Iterator[Finding]:
    """Import every library that featkit needs, and compare its version with the tested one."""
    try:
        wanted = needs().always
    except PackageNotFoundError:
        wanted = tuple(map(Requirement, tested_versions().packages))
    fine = []
    for requirement in wanted:
        finding = _library(requirement)
        if finding is None:
            fine.append(f"{requirement.name} {installed(requirement.name)}")
        else:
            yield finding
    if fine:
        yield Finding("libraries", ", ".join(fine))


def _library(requirement: Requirement) -> Finding | None:
    """Return what is wrong with a library, None if nothing is."""
    name = requirement.name
    found = installed(name)
    install = f"pip install '{_plainly(requirement)}'"
    if found is None:
        return Finding(name, "not installed", "bad", install)
    if too_old(requirement, found):
        return Finding(name, f"{found}, where {requirement.specifier} is needed", "bad", install)
    try:
        importlib.import_module(_MODULES.get(plain(name), name.replace("-", "_")))
    except Exception as error:  # broken libraries raise nearly everything
        again = f"pip install --force-reinstall '{name}=={found}'"
        return Finding(name, f"{found} does not load ({said(error)})", "bad", again)
    return _other_than_tested(name, found)


def _plainly(requirement: Requirement) -> str:
    return f"{requirement.name}{requirement.specifier}"


def _other_than_tested(name: str, found: str) -> Finding | None:
    """Return a finding where a version is of another series than the tested one."""
    tested = {plain(each): number for each, number in tested_versions().packages.items()}
    number = tested.get(plain(name))
    if number is None or _series(found) == _series(number):
        return None
    remedy = f"If something goes wrong: pip install '{name}=={number}'"
    return Finding(name, f"{found}, tested with {number}", "warn", remedy)


def _series(version: str) -> object:
    try:
        return Version(version).release[:2]
    except InvalidVersion:
        return version


def extras(out: Path) -> Iterator[Finding]:
    """Tell which extras are installed, and whether their packages are new enough."""
    try:
        found = needs().extras
    except PackageNotFoundError:
        return
    for extra, wanted in found.items():
        yield from _extra(extra, wanted)


def _extra(extra: str, wanted: tuple[Requirement, ...]) -> Iterator[Finding]:
    install = f"pip install 'featkit[{extra}]'"
    versions = {each: installed(each.name) for each in wanted}
    there = {each: version for each, version in versions.items() if version is not None}
    old = [f"{each.name} {version}" for each, version in there.items() if too_old(each, version)]
    if old:
        yield Finding(f"extra {extra}", f"too old: {', '.join(old)}", "bad", install)
    elif len(there) < len(versions):
        missing = ", ".join(each.name for each in versions if each not in there)
        yield Finding(f"extra {extra}", f"not installed ({missing})", "good", install)
    else:
        fine = ", ".join(f"{each.name} {version}" for each, version in there.items())
        yield Finding(f"extra {extra}", fine)
        named = (_other_than_tested(each.name, version) for each, version in there.items())
        yield from filter(None, named)
