"""What featkit says that it needs: its requirements and extras, from its installed metadata."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from packaging.requirements import Requirement
from packaging.version import InvalidVersion, Version

__all__ = ["Needs", "installed", "needs", "plain", "too_old"]

_DEVELOPMENT = frozenset({"dev", "docs"})
"""Extras for work on featkit, not with it."""


@dataclass(frozen=True)
class Needs:
    """Requirements that hold on this machine.

    Attributes:
        always: Without which featkit does not work.
        extras: What each extra needs besides.
    """

    always: tuple[Requirement, ...]
    extras: Mapping[str, tuple[Requirement, ...]]


def needs() -> Needs:
    """Return what featkit needs.

    Raises:
        PackageNotFoundError: featkit is not installed, but found by its path.
    """
    every = [Requirement(line) for line in requires("featkit") or []]
    extras = [
        name
        for name in metadata("featkit").get_all("Provides-Extra") or []
        if name not in _DEVELOPMENT
    ]
    return Needs(
        always=tuple(each for each in every if _holds(each, "")),
        extras={name: tuple(_of_extra(every, name)) for name in sorted(extras)},
    )


def _of_extra(every: list[Requirement], extra: str) -> list[Requirement]:
    """Return what an extra needs, other extras that it names included."""
    found: list[Requirement] = []
    for each in every:
        if not _holds(each, extra) or _holds(each, ""):
            continue
        if plain(each.name) == "featkit":
            found += [more for name in sorted(each.extras) for more in _of_extra(every, name)]
        else:
            found.append(each)
    return found


def _holds(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def plain(name: str) -> str:
    """Return the name of a distribution as package indexes compare names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installed(name: str) -> str | None:
    """Return the version of a distribution, or None where it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def too_old(requirement: Requirement, found: str) -> bool:
    """Tell whether a version is none that the requirement allows; one of no known form may be."""
    try:
        return not requirement.specifier.contains(Version(found), prereleases=True)
    except InvalidVersion:
        return False
