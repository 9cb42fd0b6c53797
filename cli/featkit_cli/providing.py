"""Options that several commands have in common, given to each of them by a decorator."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, get_args

from typer.models import ArgumentInfo

__all__ = ["UNIMPORTED", "provides"]

Command = Callable[..., None]

UNIMPORTED = dict.fromkeys(("Dataset", "Design"), Any)
"""Types whose import is heavy, and which say nothing to the command line."""


def provides(name: str, make: Callable[..., Any]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command the options of `make`.

    The command gets as `name` what calls `make` with the options' values, so that the work happens
    inside the command's own progress and error handling.

    Args:
        name: The command's parameter.
        make: A function whose parameters are declared as Typer wants them.
    """
    ours = inspect.signature(make, eval_str=True, locals=UNIMPORTED)

    def decorate(command: Command) -> Command:
        theirs = inspect.signature(command, eval_str=True, locals=UNIMPORTED)
        given = list(ours.parameters.values())
        parameters = [
            *(each for each in given if _is_argument(each)),
            *(each for each in theirs.parameters.values() if each.name != name),
            *(each for each in given if not _is_argument(each)),
        ]

        @functools.wraps(command)
        def wrapper(**values: Any) -> None:
            mine = {each.name: values.pop(each.name) for each in given}
            command(**{name: functools.partial(make, **mine)}, **values)

        keyword = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
        wrapper.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
        wrapper.__annotations__ = {each.name: each.annotation for each in parameters}
        return wrapper

    return decorate


def _is_argument(parameter: inspect.Parameter) -> bool:
    return any(isinstance(each, ArgumentInfo) for each in get_args(parameter.annotation))
