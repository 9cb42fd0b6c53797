"""The list of backbones that can be loaded by name."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

import torch

from featkit.backbones._registry import SOURCES, resolve
from featkit.backbones._surroundings import quiet, seeded
from featkit.backbones._weights import count_parameters
from featkit.backbones.loading import measure_dimension
from featkit.backbones.source import Options, Source
from featkit.errors import BackboneError, PluginError, UsageError
from featkit.shelf import SHELF

__all__ = ["BackboneInfo", "BackboneList", "list_backbones", "weights_at_hand"]


@dataclass(frozen=True)
class BackboneInfo:
    """What can be known of a backbone without its weights.

    Attributes:
        spec: What `load_backbone` takes.
        cached: Whether the weights are on this machine.
        parameters: Number of parameters, without the classification layer.
        dimension: Number of features.
        input_size: Height and width of the network's input, in pixels.

    The last three are None where the network cannot be built or gives no vector of features.
    """

    spec: str
    cached: bool
    parameters: int | None = None
    dimension: int | None = None
    input_size: tuple[int, int] | None = None


@dataclass(frozen=True)
class BackboneList:
    """Backbones that match a pattern.

    Attributes:
        rows: The first of them.
        total: How many there are.
        problems: Why sources that other distributions add are left out.
    """

    rows: tuple[BackboneInfo, ...]
    total: int
    problems: tuple[str, ...] = ()


def list_backbones(pattern: str | None = None, *, limit: int | None = None) -> BackboneList:
    """Return the backbones that can be loaded by name, well-tried ones first.

    Args:
        pattern: A part of the name, or a pattern with `*`, `?` or `[...]` for the whole name (with
            or without its source); upper and lower case are the same. None for all.
        limit: At most so many rows; each takes a tenth of a second or so.

    Raises:
        UsageError: A negative limit.
        PluginError: The pattern names a source (`SOURCE:...`) that does not work.
    """
    if limit is not None and limit < 0:
        raise UsageError(
            f"limit {limit}", cause="it is negative", remedy="Give the number of rows to show"
        )
    with quiet():
        sources, problems = _sources(pattern or "")
        everything = [
            f"{prefix}:{name}" for prefix, source in sources.items() for name in source.names()
        ]
        matching = [spec for spec in everything if pattern is None or _matches(spec, pattern)]
        chosen = sorted(matching, key=_rank)[:limit]
        rows = tuple(_describe(spec) for spec in chosen)
        return BackboneList(rows, len(matching), tuple(problems))


def weights_at_hand(spec: str) -> bool:
    """Tell whether a backbone's weights are on this machine, so that none have to be fetched.

    Args:
        spec: As for `load_backbone`.

    Raises:
        BackboneError: The name is unknown.
    """
    with quiet():
        source, name = resolve(spec)
        return source.cached(name)


def _sources(pattern: str) -> tuple[dict[str, Source], list[str]]:
    """Return the sources that work, and what ails the others, whose names were not asked for."""
    prefix, colon, _ = pattern.lower().partition(":")
    asked = prefix if colon else ""
    working, problems = {}, []
    for each in SOURCES:
        try:
            working[each] = SOURCES[each]
        except PluginError as error:
            if each == asked:
                raise
            problems.append(str(error))
    return working, problems


def _matches(spec: str, pattern: str) -> bool:
    spec, pattern = spec.lower(), pattern.lower()
    if not any(character in pattern for character in "*?["):
        return pattern in spec
    return any(fnmatch.fnmatchcase(text, pattern) for text in (spec, spec.partition(":")[2]))


def _rank(spec: str) -> int:
    return SHELF.index(spec) if spec in SHELF else len(SHELF)


def _describe(spec: str) -> BackboneInfo:
    """Describe a backbone from its network, built without weights."""
    source, name = resolve(spec)
    cached = source.cached(name)
    try:
        try:
            with torch.device("meta"):
                return _measure(spec, source, name, cached=cached)
        except NotImplementedError:
            # Some networks calculate while they are built, which takes real memory.
            with seeded(0):
                return _measure(spec, source, name, cached=cached)
    except BackboneError:
        return BackboneInfo(spec, cached)


def _measure(spec: str, source: Source, name: str, *, cached: bool) -> BackboneInfo:
    """Build the network on torch's present device, and describe it."""
    built = source.build(name, Options(random_weights=True))
    built.network.eval()
    return BackboneInfo(
        spec=spec,
        cached=cached,
        parameters=count_parameters(built.network),
        dimension=measure_dimension(spec, built),
        input_size=built.preprocessing.crop,
    )
