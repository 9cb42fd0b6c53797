"""ConfigFile: the tables of a TOML file, checked against the commands and their options."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from featkit.errors import UsageError
from featkit_cli.configuration.refusing import refused
from featkit_cli.configuration.values import WrongValue, as_given

__all__ = ["ConfigFile", "long_names"]

_NOT_IN_FILES = frozenset({"config", "help"})


@dataclass(frozen=True)
class ConfigFile:
    """A file with a table for each command.

    Attributes:
        path: As it was given.
        tables: What it holds.
    """

    path: Path
    tables: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> ConfigFile:
        """Return the file's content.

        Raises:
            UsageError: There is no such file, or it is no TOML.
        """
        try:
            return cls(path, tomllib.loads(path.read_text(encoding="utf-8-sig")))
        except OSError as error:
            cause = (error.strerror or str(error)).lower()
            raise UsageError(f"--config {path}", cause=cause, remedy="Check the path") from None
        except ValueError as error:  # not UTF-8, or not TOML
            raise UsageError(
                f"--config {path}",
                cause=f"it is no TOML: {error}",
                remedy="Write a table for each command, such as [fit], and options as draws = 5",
            ) from None

    def check(self, root: Any) -> None:
        """Refuse tables and options that mean nothing, and values of a wrong type.

        Args:
            root: The `featkit` command.

        Raises:
            UsageError: Names the nearest command or option, or what the option takes.
        """
        self._check_group(root, self.tables, ())

    def table(self, words: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the options of a command.

        Args:
            words: Its name: `("fit",)`, `("data", "check")`.
        """
        found: Mapping[str, Any] = self.tables
        for word in words:
            found = found.get(word, {})
        return found

    def _check_group(self, group: Any, tables: Mapping[str, Any], words: tuple[str, ...]) -> None:
        for name, table in tables.items():
            if not isinstance(table, Mapping):
                raise self._outside(name, group, words)
            place = (*words, name)
            if name not in group.commands:
                raise self._unknown(f"[{'.'.join(place)}]", "command", name, group.commands)
            command = group.commands[name]
            if hasattr(command, "commands"):
                self._check_group(command, table, place)
            else:
                self._check_command(command, table, place)

    def _check_command(
        self, command: Any, table: Mapping[str, Any], words: tuple[str, ...]
    ) -> None:
        known, name = long_names(command), ".".join(words)
        arguments = {each.name for each in command.params} - {each.name for each in known.values()}
        for key, value in table.items():
            plain = key.replace("-", "_")
            if plain in arguments - _NOT_IN_FILES:
                raise UsageError(
                    f"{self.path}: [{name}] {key}",
                    cause="it is no option but an argument",
                    remedy=f"Write it on the command line, behind `featkit {' '.join(words)}`",
                )
            if plain not in known:
                shown = [each.replace("_", "-") for each in known]
                raise self._unknown(f"[{name}] {key}", "option", plain.replace("_", "-"), shown)
            self._check_type(known[plain], value, words, key)

    def _check_type(self, option: Any, value: object, words: tuple[str, ...], key: str) -> None:
        # Callbacks look deeper, and may import much; paths need not be there yet. Both matter to
        # the command that is run.
        plain = copy(option)
        plain.callback = None
        try:
            given = as_given(option, value, folder=self.path.parent, is_path=False)
            if option.type_descriptor.annotation is not Path:
                plain.process_value(None, given)
        except (WrongValue, typer.TyperException) as error:
            raise refused(self.path, words, key, value, error) from None

    def _outside(self, key: str, group: Any, words: tuple[str, ...]) -> UsageError:
        plain = key.replace("-", "_")
        tables = dict(_commands(group, words))
        having = [f"[{name}]" for name, each in tables.items() if plain in long_names(each)]
        examples = having[:3] or [f"[{next(iter(tables))}]"]
        return UsageError(
            f"{self.path}: {key}",
            cause="it stands in no command's table",
            remedy=f"Put it below a line such as {' or '.join(examples)}",
        )

    def _unknown(self, what: str, kind: str, name: str, known: Iterable[str]) -> UsageError:
        names = list(known)
        near = difflib.get_close_matches(name, names, n=1)
        there = ", ".join(names)
        return UsageError(
            f"{self.path}: {what}",
            cause=f"there is no such {kind}",
            remedy=f"Did you mean {near[0]}" if near else f"There are: {there}",
        )


def _commands(group: Any, words: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Yield commands by the names of their tables, those of groups included."""
    for name, command in group.commands.items():
        place = (*words, name)
        if hasattr(command, "commands"):
            yield from _commands(command, place)
        else:
            yield ".".join(place), command


def long_names(command: Any) -> dict[str, Any]:
    """Return a command's options by their long names, with `_` for `-`."""
    return {
        name.removeprefix("--").replace("-", "_"): option
        for option in command.params
        if option.param_type_name == "option" and option.name not in _NOT_IN_FILES
        for name in option.opts
        if name.startswith("--")
    }
