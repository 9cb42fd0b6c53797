"""Names and numbers as people write them."""

from __future__ import annotations

from pathlib import Path

__all__ = ["backbone_name", "counted"]


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
