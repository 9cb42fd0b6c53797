"""From what the user wrote to a source and a name in it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from featkit.backbones._source import Source
from featkit.errors import BackboneError

__all__ = ["resolve", "sources"]

_LOOKED_UP = ("timm", "torchvision", "featkit")
"""Where a bare name is looked up, in this order."""

_NESTED = ("hf-hub:", "local-dir:")


@cache
def sources() -> Mapping[str, Source]:
    """Return the sources by prefix. They bring timm and torchvision with them, so not before."""
    from featkit.backbones._bundled import BUNDLED
    from featkit.backbones._hub import HUB
    from featkit.backbones._local_dir import LOCAL_DIR
    from featkit.backbones._timm import TIMM
    from featkit.backbones._torchvision import TORCHVISION

    everything: tuple[Source, ...] = (TIMM, TORCHVISION, BUNDLED, LOCAL_DIR, HUB)
    return MappingProxyType({source.prefix: source for source in everything})


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
    if colon and prefix in sources():
        if sources()[prefix].has(name):
            return sources()[prefix], name
        raise _unknown(spec, name, (prefix,))
    for candidate in _LOOKED_UP:
        if sources()[candidate].has(spec):
            return sources()[candidate], spec
    if _is_path(spec):
        return sources()["local-dir"], spec
    if colon:
        raise _no_source(spec, prefix)
    raise _unknown(spec, spec, _LOOKED_UP)


def _is_path(spec: str) -> bool:
    return "/" in spec or spec.startswith(("~", ".")) or (bool(spec) and Path(spec).is_dir())


def _no_source(spec: str, prefix: str) -> BackboneError:
    return BackboneError(
        f"unknown backbone {spec}",
        cause=f"there is no source {prefix}",
        remedy=f"Put one of these before the colon: {', '.join(sources())}",
    )


def _unknown(spec: str, name: str, prefixes: tuple[str, ...]) -> BackboneError:
    names = [full for prefix in prefixes for full in sources()[prefix].names()]
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
