"""The shelf: backbones that are well tried, the first to be shown."""

from __future__ import annotations

__all__ = ["SHELF"]

SHELF = (
    "featkit:tiny",
    "torchvision:alexnet.IMAGENET1K_V1",
    "timm:vgg19.tv_in1k",
    "timm:resnet18.a1_in1k",
    "timm:resnet34.a1_in1k",
    "timm:resnet50.a1_in1k",
    "timm:resnet101.a1h_in1k",
    "timm:resnet152.a1h_in1k",
    "timm:mobilenetv2_100.ra_in1k",
    "timm:efficientnet_b0.ra_in1k",
    "timm:convnext_tiny.in12k_ft_in1k",
    "timm:vit_base_patch16_224.augreg2_in21k_ft_in1k",
    "timm:mixer_b16_224.goog_in21k_ft_in1k",
    "timm:vit_small_patch14_dinov2.lvd142m",
)
"""Specs as `load_backbone` takes them; here, as the command line completes them without torch."""
