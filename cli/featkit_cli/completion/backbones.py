"""Names of backbones, from the source files of timm and torchvision: importing takes seconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from featkit.shelf import SHELF
from featkit_cli.completion.values import paths
from featkit_cli.options import plugin_names

__all__ = ["backbones", "timm_names", "torchvision_names"]

_TIMM = re.compile(r"""^\s+['"]([a-z]\w*\.\w+)['"]\s*:""", re.MULTILINE)
"""An entry of timm's tables of weights."""

_UNTRAINED = ".untrained"

_WEIGHTS = re.compile(r"^class (\w+)\(WeightsEnum\):\n((?:    .*\n|\n)+)", re.MULTILINE)

_TAG = re.compile(r"^    ([A-Z]\w+) = Weights\(", re.MULTILINE)

_BUILDER = re.compile(
    r"^@register_model\(.*\n(?:@.*\n)*def (\w+)\(\s*\*, weights: Optional\[(\w+)\]", re.MULTILINE
)


def backbones(incomplete: str) -> list[str]:
    """Return specs: the shelf first, all names behind their source's prefix, folders."""
    prefix, colon, name = incomplete.partition(":")
    if colon and prefix == "local-dir":
        return paths(name, prefix="local-dir:")
    if colon and prefix == "timm":
        found = [f"timm:{each}" for each in timm_names()]
    elif colon and prefix == "torchvision":
        found = [f"torchvision:{each}" for each in torchvision_names()]
    elif not incomplete or colon:
        found = [*SHELF, "local-dir:", "hf-hub:"]
    else:
        sources = ["timm:", "torchvision:", "local-dir:", "hf-hub:", "featkit:tiny"]
        added = [f"{each}:" for each in plugin_names("featkit.backbones")]
        found = [*sources, *added, *timm_names(), *torchvision_names()]
    fitting = [each for each in dict.fromkeys(found) if each.startswith(incomplete)]
    if len(fitting) == 1 and fitting[0].endswith(":") and fitting[0] != incomplete:
        fitting += backbones(fitting[0])  # as for folders in `paths`
    return list(dict.fromkeys(fitting))


def timm_names() -> list[str]:
    """Return the names of timm's networks with published weights, tags included."""
    found = {name for text in _sources("timm") for name in _TIMM.findall(text)}
    return sorted(name for name in found if not name.endswith(_UNTRAINED))


def torchvision_names() -> list[str]:
    """Return the names of torchvision's networks for classification, tags included."""
    return sorted(
        f"{name}.{tag}"
        for text in _sources("torchvision")
        for kind, body in _WEIGHTS.findall(text)
        for tag in _TAG.findall(body)
        for name, wanted in _BUILDER.findall(text)
        if wanted == kind
    )


def _sources(package: str) -> Iterator[str]:
    """Yield the modules of a package's `models`, without importing it."""
    found = find_spec(package)
    for place in (found and found.submodule_search_locations) or ():
        for path in Path(place, "models").glob("*.py"):
            try:
                yield path.read_text(encoding="utf-8")
            except OSError:
                continue
