"""The option `--config`: given to every command, and to `featkit` itself."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from featkit.errors import UsageError
from featkit_cli.configuration.file import ConfigFile, long_names
from featkit_cli.configuration.refusing import refused
from featkit_cli.configuration.values import WrongValue, as_given
from featkit_cli.providing import UNIMPORTED

__all__ = ["at_root", "takes_config", "unconfigured"]

Command = Callable[..., None]

_NAME = "config"

_KEPT = "featkit.config"
"""Under which `featkit --config` leaves its file for the command."""


def at_root(context: typer.Context, path: Path | None) -> Path | None:
    """Read and check the file that is named before the command."""
    if path is not None and not context.resilient_parsing:
        file = ConfigFile.read(path)
        file.check(context.command)
        context.meta[_KEPT] = file
    return path


def takes_config(command: Command) -> Command:
    """Give a command the option; what the file says stands where the command line says nothing."""
    signature = inspect.signature(command, eval_str=True, locals=UNIMPORTED)
    if _NAME in signature.parameters:  # the commands are put together once more
        return command
    paths = frozenset(
        name for name, each in signature.parameters.items() if _is_path(each.annotation)
    )

    def read(context: typer.Context, path: Path | None) -> Path | None:
        if not context.resilient_parsing:
            _set_defaults(context, path, paths)
        return path

    option = typer.Option(
        "--config",
        metavar="FILE.toml",
        is_eager=True,  # before the options that it is about
        callback=read,
        help="Take options from this command's table in a TOML file, where they are not given "
        "here; paths in it start from its folder.",
    )
    config = inspect.Parameter(
        _NAME,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[Path | None, option],
    )

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        del values[_NAME]
        command(**values)

    given = [
        each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()
    ]
    wrapper.__signature__ = inspect.Signature([*given, config])  # type: ignore[attr-defined]
    wrapper.__annotations__ = {each.name: each.annotation for each in (*given, config)}
    return wrapper


def _is_path(annotation: Any) -> bool:
    return annotation is Path or any(map(_is_path, get_args(annotation)))


def _set_defaults(context: typer.Context, path: Path | None, paths: frozenset[str]) -> None:
    files: list[ConfigFile] = [context.meta[_KEPT]] if _KEPT in context.meta else []
    if path is not None:
        files.append(ConfigFile.read(path))
        files[-1].check(context.find_root().command)
    words = _words(context)
    values: dict[str, object] = {}
    for file in files:
        values |= _converted(context, file, words, paths)
    context.default_map = values


def _words(context: typer.Context) -> tuple[str, ...]:
    """Return a command's name, that of its group before it."""
    words: list[str] = []
    here: Any = context
    while here.parent is not None:
        words.insert(0, here.info_name)
        here = here.parent
    return tuple(words)


def _converted(
    context: typer.Context, file: ConfigFile, words: tuple[str, ...], paths: frozenset[str]
) -> Mapping[str, object]:
    """Return a file's values by parameter, each of which the command takes."""
    values, known = {}, long_names(context.command)
    for key, value in file.table(words).items():
        option = known[key.replace("-", "_")]
        try:
            given = as_given(option, value, folder=file.path.parent, is_path=option.name in paths)
            option.process_value(context, given)
        except (WrongValue, UsageError, typer.TyperException) as error:
            raise refused(file.path, words, key, value, error) from None
        values[option.name] = given
    return values


def unconfigured(arguments: Sequence[str]) -> list[str]:
    """Return a command line that asks for help without its files: help comes whatever they say.

    Args:
        arguments: All words; where none asks for help, they are returned as they are.
    """
    words = list(arguments)
    said = words[: words.index("--")] if "--" in words else words
    if not {"-h", "--help"} & set(said):
        return words
    left, skip = [], False
    for word in words:
        if not skip and word != "--config" and not word.startswith("--config="):
            left.append(word)
        skip = word == "--config" and not skip
    return left
