"""Provenance: which software made a file."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

__all__ = ["software_versions"]


def software_versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the versions of featkit, Python and those of the packages that are installed.

    Args:
        packages: Names of distributions.
    """
    found = {"python": platform.python_version()}
    for name in ("featkit", *packages):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
