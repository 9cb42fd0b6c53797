"""Options and arguments that several commands share, each with its help text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

import typer

from featkit.errors import UsageError

__all__ = [
    "DOWNLOADS",
    "HEADS",
    "KINDS",
    "METRICS",
    "Decoder",
    "Engine",
    "Imbalance",
    "Json",
    "Split",
    "TableForm",
    "check_heads",
    "head_names",
    "kinds",
    "parse_budgets",
    "parse_int_or_auto",
    "parse_pair",
    "parse_recipe",
    "plugin_names",
]


HEADS = ("linear", "lightgbm", "mlp")
"""featkit's own heads; `featkit.heads` has them too, but is slow to import."""

KINDS = ("ham10000", "isic", "folder", "csv", "hmnist", "medmnist", "webdataset", "synthetic")
"""What may stand before the colon of DATA, likewise."""

METRICS = ("balanced_accuracy", "accuracy", "macro_f1", "weighted_f1", "macro_auroc", "ece")
"""The names of metrics, likewise."""

DOWNLOADS = MappingProxyType(
    {
        "ham10000": ("images", "test"),
        "isic2018": ("training", "validation", "test"),
        "isic2019": ("training", "test"),
        "ham10000-duplicates": ("pairs",),
        "dermamnist": ("28", "64", "128", "224"),
    }
)
"""Published data sets and their parts, likewise."""


class Decoder(StrEnum):
    """Who decodes and resizes images."""

    CPU = "cpu"
    GPU = "gpu"


class Engine(StrEnum):
    """Who computes."""

    LOCAL = "local"
    RAY = "ray"


class Split(StrEnum):
    """Ways of splitting."""

    GROUPED = "grouped"
    RANDOM = "random"
    OFFICIAL = "official"
    SINGLE_IMAGE_TEST = "single-image-test"


class Imbalance(StrEnum):
    """What is done about rare classes."""

    WEIGHTS = "weights"
    NONE = "none"
    OVERSAMPLE = "oversample"


class TableForm(StrEnum):
    """Forms of a table."""

    CSV = "csv"
    PARQUET = "parquet"


Json = Annotated[bool, typer.Option("--json", help="Write JSON to stdout instead of tables.")]


def check_heads(names: list[str] | None) -> list[str] | None:
    """Refuse what is no head, before any file is read.

    Raises:
        UsageError: There is no head of a name.
    """
    if names:
        from featkit.heads import find_head

        for name in names:
            find_head(name)
    return names


def head_names(incomplete: str) -> list[str]:
    """Return the heads whose names begin so, for the shell's completion."""
    names = [*HEADS, *plugin_names("featkit.heads")]
    return [name for name in names if name.startswith(incomplete)]


def kinds() -> list[str]:
    """Return what may stand before the colon of DATA, plugins included."""
    return [*KINDS, *plugin_names("featkit.readers")]


def plugin_names(group: str) -> list[str]:
    """Return the names that installed distributions declare, none of them imported.

    Args:
        group: An entry-point group, such as `featkit.heads`.
    """
    from importlib.metadata import entry_points

    return sorted({point.name for point in entry_points(group=group)})


def parse_budgets(text: str) -> tuple[float, ...]:
    """Return `1,2,5` as numbers.

    Raises:
        UsageError: Something between the commas is no number.
    """
    return tuple(
        _number(part.strip().removesuffix("%")) for part in text.split(",") if part.strip()
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(
            f"--budgets: {text!r}",
            cause="it is not a number",
            remedy="Give percentages such as --budgets 1,5,25,100",
        ) from None


def parse_int_or_auto(option: str) -> Callable[[str], str]:
    """Return a callback that takes `auto` or a positive whole number."""

    def check(text: str) -> str:
        if text == "auto" or (text.isdigit() and int(text) > 0):
            return text
        raise UsageError(
            f"{option} {text!r}",
            cause="it is neither `auto` nor a positive whole number",
            remedy=f"Give {option} auto or a number",
        )

    return check


def parse_recipe(pairs: Sequence[str]) -> dict[str, object]:
    """Return `NAME=VALUE` texts as a dictionary, numbers as numbers.

    Raises:
        UsageError: A text has no `=`.
    """
    found: dict[str, object] = {}
    for pair in pairs:
        name, separator, text = pair.partition("=")
        if not separator:
            raise UsageError(
                f"--recipe {pair}", cause="it has no =", remedy="Give NAME=VALUE, such as clip=1"
            )
        found[name.strip()] = _value(text.strip())
    return found


def _value(text: str) -> object:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def parse_pair(text: str) -> tuple[str, str]:
    """Return `linear,finetune-full` as two names."""
    names = [name.strip() for name in text.split(",")]
    if len(names) != 2 or not all(names):
        raise UsageError(
            f"--pair {text}",
            cause="it is not two methods with a comma between them",
            remedy="Give for example --pair linear,finetune-full",
        )
    return names[0], names[1]
