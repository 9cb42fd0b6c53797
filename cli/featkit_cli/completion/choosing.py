"""Which values each option of a command offers."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import get_args

from typer.models import ParameterInfo

from featkit_cli.completion.backbones import backbones
from featkit_cli.completion.values import Offer, data, downloads, one_of, parts, studies
from featkit_cli.options import METRICS
from featkit_cli.providing import UNIMPORTED

__all__ = ["completed"]

Command = Callable[..., None]

_BY_METAVAR: dict[str, Offer] = {"SPEC": backbones, "DATA": data, "STUDY.toml|NAME": studies}

_OF_DOWNLOAD: dict[str, Callable[..., list[str]]] = {"name": downloads, "part": parts}

_BY_NAME: dict[str, Offer] = {
    "device": one_of("auto", "cpu", "cuda", "mps"),
    "metric": one_of(*METRICS),
}


def completed(command: Command) -> Command:
    """Have the shell offer values for a command's options, by their names and metavars."""
    signature = inspect.signature(command, eval_str=True, locals=UNIMPORTED)
    for name, parameter in signature.parameters.items():
        for info in get_args(parameter.annotation):
            if isinstance(info, ParameterInfo) and info.autocompletion is None:
                own = _OF_DOWNLOAD if command.__name__ == "download" else {}
                info.autocompletion = own.get(name) or _offer(name, str(info.metavar or ""))
    return command


def _offer(name: str, metavar: str) -> Offer | None:
    if name in _BY_NAME:
        return _BY_NAME[name]
    if metavar in _BY_METAVAR:
        return _BY_METAVAR[metavar]
    # `auto|N`: what is written in small letters is meant as it stands.
    words = [word for word in metavar.split("|") if word and word == word.lower()]
    return one_of(*words) if "|" in metavar and words else None
