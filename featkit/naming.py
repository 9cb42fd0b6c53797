"""Short names for tables."""

from __future__ import annotations

from pathlib import Path

__all__ = ["backbone_name"]


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
