"""Names and numbers as people write them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["backbone_name", "counted", "duration", "row_name", "row_parts"]

_BETWEEN = " / "


def backbone_name(spec: str, architecture: str, pooling: str, *, random_weights: bool) -> str:
    """Return `resnet50.a1_in1k`, with `+cls` or `+random` where so.

    Args:
        spec: As resolved (`timm:resnet50.a1_in1k`).
        architecture: The network's name in its library, where the spec has none.
        pooling: `default` for the network's own.
        random_weights: Whether the weights are random.
    """
    name = Path(spec.partition(":")[2] or spec).name or architecture
    suffix = "" if pooling == "default" else f"+{pooling}"
    return name + suffix + ("+random" if random_weights else "")


def counted(count: int, thing: str) -> str:
    """Return `1 image`, `2 images`, `1,234 images`."""
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def duration(seconds: float) -> str:
    """Return a duration to about two figures: `40 s`, `12 min`, `3.5 h`, `2.1 days`."""
    for size, unit, digits in ((86400, "days", 1), (3600, "h", 1), (60, "min", 0)):
        if seconds >= 1.5 * size:
            return f"{seconds / size:,.{digits}f} {unit}"
    return f"{seconds:.0f} s"


def row_name(backbone: str, method: str) -> str:
    """Return what a method on a backbone is called in tables: `resnet50 / linear`."""
    return f"{backbone}{_BETWEEN}{method}"


def row_parts(row: str) -> tuple[str, str]:
    """Return the backbone and the method of a row, the other way round of `row_name`."""
    backbone, _, method = row.rpartition(_BETWEEN)
    return backbone, method
