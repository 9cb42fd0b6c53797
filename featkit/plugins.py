"""Things by name: featkit's own, and those that installed distributions add as entry points."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from featkit.errors import PluginError

__all__ = ["Plugin", "Registry"]

Thing = TypeVar("Thing")

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")


@dataclass(frozen=True)
class Plugin:
    """A name that a distribution adds.

    Attributes:
        group: Its entry-point group (`featkit.heads`).
        name: What the command line calls it.
        value: Where it is: `module:attribute`.
        distribution: Name and version of what brings it.
        problem: Why it cannot be used; "" where it can.
    """

    group: str
    name: str
    value: str
    distribution: str
    problem: str = ""


class Registry(Mapping[str, Thing]):
    """Things of one kind by name, each imported when it is first asked for.

    Names are known without importing what they stand for, so that a distribution that does not
    work is an error for whoever asks for it, and for nobody else. A name that is declared twice
    stands for nothing: installing something never changes what a name means.

    Args:
        group: The entry-point group that distributions add to (`featkit.heads`).
        what: A thing, for messages (`head`).
        own: Where featkit's own are, `module:attribute` by name, in the order of lists.
        made: Returns the thing of a name and what its entry point leads to; raises where that is
            none.
    """

    def __init__(
        self, group: str, what: str, own: Mapping[str, str], made: Callable[[str, Any], Thing]
    ) -> None:
        self.group = group
        self.own = tuple(own)
        self._what = what
        self._ours = [EntryPoint(name, value, group) for name, value in own.items()]
        self._made = made
        self._loaded: dict[str, Thing] = {}

    def __getitem__(self, name: str) -> Thing:
        """Return the thing of a name.

        Raises:
            KeyError: Nothing has it.
            PluginError: What has it does not work, or several have it.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(self._declared[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._declared

    def __iter__(self) -> Iterator[str]:
        return iter(self._declared)

    def __len__(self) -> int:
        return len(self._declared)

    @property
    def outside(self) -> tuple[str, ...]:
        """Names that distributions add, sorted."""
        return tuple(name for name in self if name not in self.own)

    def distributions(self, name: str) -> tuple[str, ...]:
        """Return the distributions that add a name: none where featkit alone has it, or nobody."""
        entries = self._declared.get(name, ())
        return tuple(entry.dist.name for entry in entries if entry.dist is not None)

    def plugins(self) -> list[Plugin]:
        """Return all that distributions add, each tried."""
        return [
            Plugin(self.group, name, entry.value, _who(entry), self._problem(name))
            for name, entries in self._declared.items()
            for entry in entries
            if entry.dist is not None
        ]

    @cached_property
    def _declared(self) -> Mapping[str, Sequence[EntryPoint]]:
        found: dict[str, list[EntryPoint]] = {entry.name: [entry] for entry in self._ours}
        for entry in sorted(entry_points(group=self.group), key=lambda each: each.name):
            found.setdefault(entry.name, []).append(entry)
        return found

    def _problem(self, name: str) -> str:
        try:
            self[name]
        except PluginError as error:
            return error.cause
        return ""

    def _load(self, entries: Sequence[EntryPoint]) -> Thing:
        entry = entries[0]
        if len(entries) > 1:
            raise PluginError(
                f"there are several {self._what}s {entry.name!r}",
                cause="it is declared by " + " and by ".join(map(_source, entries)),
                remedy="Uninstall all but one of these distributions",
            )
        try:
            if not _NAME.fullmatch(entry.name):
                raise ValueError("a name has small letters, digits and hyphens")
            return self._made(entry.name, entry.load())
        # Whatever the code of others has against being imported.
        except (Exception, SystemExit) as error:
            raise PluginError(
                f"cannot load the {self._what} {entry.name!r} of {_who(entry)}",
                cause=f"its entry point in {self.group}, {entry.value}, fails: "
                f"{type(error).__name__}: {str(error).rstrip('.')}",
                remedy="Install a version of it that fits this featkit, or uninstall it",
            ) from error


def _who(entry: EntryPoint) -> str:
    return "featkit" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"


def _source(entry: EntryPoint) -> str:
    return f"{_who(entry)} ({entry.value})"
