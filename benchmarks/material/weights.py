"""The networks that extraction is measured with, in a folder each that everybody can load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.material.places import SHARED

__all__ = ["NETWORKS", "Network", "weights_folder"]


@dataclass(frozen=True)
class Network:
    """A network, and how thingsvision is asked for its features.

    Attributes:
        timm: timm's name.
        layer: The module whose output are the features.
        token: thingsvision's word for how tokens are pooled; None where there are none.
        real: Where its trained weights may lie; None = only random ones are measured.
    """

    timm: str
    layer: str
    token: str | None = None
    real: Path | None = None


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        "mobilenetv2": Network(
            "mobilenetv2_100.ra_in1k",
            "global_pool",
            real=SHARED / "weights" / "mobilenetv2_100.tf_in1k",
        ),
        "resnet50": Network("resnet50.a1_in1k", "global_pool"),
        "vit_small": Network("vit_small_patch16_224.augreg_in21k_ft_in1k", "norm", "cls_token"),
    }
)
"""By the benchmark's name."""


def weights_folder(network: Network, work: Path) -> tuple[Path, bool]:
    """Return a folder in timm's layout, and whether its weights are trained ones.

    How long a network takes does not depend on its weights, so random ones do; what they compute
    says nothing about images.

    Args:
        network: One of `NETWORKS`.
        work: A temporary folder for random weights.
    """
    if network.real is not None and network.real.exists():
        return network.real, True
    folder = work / network.timm
    if not folder.exists():
        import timm
        import torch

        torch.manual_seed(0)
        model = timm.create_model(network.timm, pretrained=False)
        timm.models.save_for_hf(model, str(folder), safe_serialization=True)
    return folder, False
