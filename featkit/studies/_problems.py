"""From pydantic's list of what is wrong with a study to one error with key, cause and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, NoReturn, get_args

from pydantic import BaseModel, ValidationError

from featkit.errors import UsageError
from featkit.studies.schema import Study

__all__ = ["refuse", "refuse_invalid"]

_MISSING = "missing"
_UNKNOWN = "extra_forbidden"


def refuse(where: str, key: str, cause: str, remedy: str) -> NoReturn:
    """Raise the error for one key of a study.

    Raises:
        UsageError: Always.
    """
    raise UsageError(f"{where}: {key}" if key else where, cause=cause, remedy=remedy) from None


def refuse_invalid(where: str, error: ValidationError) -> NoReturn:
    """Raise an error for the first problem, unknown keys first: they explain missing ones.

    Args:
        where: The file, or the option, that the study came from.
        error: What pydantic found.

    Raises:
        UsageError: Always.
    """
    problems = error.errors(include_url=False)
    problem = min(problems, key=lambda one: one["type"] != _UNKNOWN)
    path = [str(part) for part in problem["loc"] if part != "[key]"]
    more = f" ({len(problems) - 1} more to mend)" if len(problems) > 1 else ""
    key = ".".join(path)
    if problem["type"] == _UNKNOWN:
        known = _fields(path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1)
        cause = "there is no such key" + "".join(f"; did you mean {name}" for name in near)
        refuse(where, key, cause + more, f"Use one of {', '.join(known)}")
    if problem["type"] == _MISSING:
        refuse(where, key, f"it is missing{more}", f"Add {path[-1]}; see docs/studies.md")
    message = str(problem["msg"]).removeprefix("Value error, ")
    message = message.replace("Input should", "it should").replace("tuple", "list")
    value = "" if isinstance(problem["input"], Mapping) else f"{problem['input']!r}: "
    cause = f"{value}{message[:1].lower()}{message[1:]}".rstrip(".")
    refuse(where, key, cause + more, "Mend the value; docs/studies.md lists every key")


def _fields(path: list[str]) -> list[str]:
    """Return the keys that are known at a place of a study."""
    kind: Any = Study
    for part in path:
        if isinstance(kind, type) and issubclass(kind, BaseModel) and part in kind.model_fields:
            kind = kind.model_fields[part].annotation
        else:  # a name in a table, or a place in a list
            kind = get_args(kind)
            kind = kind[-1] if kind and kind[-1] is not Ellipsis else kind[0]
        kind = _plain(kind)
    return list(kind.model_fields)


def _plain(kind: Any) -> Any:
    """Return a type without its constraints."""
    return get_args(kind)[0] if hasattr(kind, "__metadata__") else kind
