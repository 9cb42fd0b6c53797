"""From what the user wrote to a source and a name in it."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

from featkit.backbones.source import Source
from featkit.errors import BackboneError
from featkit.plugins import Registry

__all__ = ["SOURCES", "resolve"]

_LOOKED_UP = ("timm", "torchvision", "featkit")
"""Where a bare name is looked up, in this order: what a distribution adds needs its prefix."""

_NESTED = ("hf-hub:", "local-dir:")


def _source(prefix: str, kind: Any) -> Source:
    source = kind()
    if not isinstance(source, Source) or source.prefix != prefix:
        raise TypeError(f"it is no source of backbones with the prefix {prefix}")
    return source


SOURCES: Registry[Source] = Registry(
    "featkit.backbones",
    "source of backbones",
    {
        "timm": "featkit.backbones._timm:TimmSource",
        "torchvision": "featkit.backbones._torchvision:TorchvisionSource",
        "featkit": "featkit.backbones._bundled:BundledSource",
        "local-dir": "featkit.backbones._local_dir:LocalDirSource",
        "hf-hub": "featkit.backbones._hub:HubSource",
    },
    _source,
)
"""Every source by its prefix. Some bring timm and torchvision with them, once they are asked."""


def resolve(spec: str) -> tuple[Source, str]:
    """Return the source that a spec means, and the name in it.

    Args:
        spec: `SOURCE:NAME`, a bare name, or the path of a folder.

    Raises:
        BackboneError: Nothing has that name; the message gives near ones.
    """
    # timm writes repositories on the Hub and folders with a prefix of its own.
    nested = spec.removeprefix("timm:")
    prefix, colon, name = (nested if nested.startswith(_NESTED) else spec).partition(":")
    if colon and prefix in SOURCES:
        if SOURCES[prefix].has(name):
            return SOURCES[prefix], name
        raise _unknown(spec, name, (prefix,))
    for candidate in _LOOKED_UP:
        if SOURCES[candidate].has(spec):
            return SOURCES[candidate], spec
    if _is_path(spec):
        return SOURCES["local-dir"], spec
    if colon:
        raise _no_source(spec, prefix)
    raise _unknown(spec, spec, _LOOKED_UP)


def _is_path(spec: str) -> bool:
    return "/" in spec or spec.startswith(("~", ".")) or (bool(spec) and Path(spec).is_dir())


def _no_source(spec: str, prefix: str) -> BackboneError:
    return BackboneError(
        f"unknown backbone {spec}",
        cause=f"there is no source {prefix}",
        remedy=f"Put one of these before the colon: {', '.join(SOURCES)}",
    )


def _unknown(spec: str, name: str, prefixes: tuple[str, ...]) -> BackboneError:
    names = [full for prefix in prefixes for full in SOURCES[prefix].names()]
    architecture = name.partition(".")[0]
    tagged = [full for full in names if full.partition(".")[0] == architecture]
    if tagged:
        near = difflib.get_close_matches(name, tagged, n=3, cutoff=0.0)
    else:
        near = difflib.get_close_matches(name, sorted({n.partition(".")[0] for n in names}), n=3)
    parts = [architecture] if architecture and any(architecture in n for n in names) else []
    pattern = [*(n.partition(".")[0] for n in near), *parts, "PATTERN"][0]
    return BackboneError(
        f"unknown backbone {spec or '(empty name)'}",
        cause=f"no such name; near ones are {', '.join(near)}" if near else "no such name",
        remedy=f"See `featkit backbones {pattern}` for names, or give a folder as local-dir:PATH",
    )
