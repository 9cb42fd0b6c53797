"""Networks of timm, from its registry or from a folder, as featkit wants them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import timm
import torch
from timm.data.config import resolve_data_config
from torch import Tensor, nn

from featkit.backbones._pooling import LOGITS, TokenPooling, no_tokens
from featkit.backbones.preprocessing import Preprocessing
from featkit.backbones.source import Built, Options
from featkit.errors import BackboneError

__all__ = ["build_network"]


def build_network(
    spec: str,
    model: str,
    options: Options,
    *,
    name: str,
    fixed: bool,
    overlay: Mapping[str, Any] | None = None,
) -> Built:
    """Build a network with timm, without its classification layer unless the logits are wanted.

    The weights are loaded before that layer is dropped, because only then does timm insist that
    every tensor of the network is in the file.

    Args:
        spec: The backbone, for messages.
        model: What `timm.create_model` calls it.
        options: How it is wanted.
        name: The resolved name within the source.
        fixed: The network is built for one input size.
        overlay: What replaces entries of the pretrained configuration (where the weights are).

    Raises:
        BackboneError: The weights do not fit, or the network does not allow the options.
    """
    try:
        network = _create(model, options, fixed=fixed, overlay=dict(overlay or {})).eval()
        _check_patches(spec, network, options.image_size)
        if options.pooling == LOGITS:
            _check_classifier(spec, network)
        elif network.num_classes:
            network.reset_classifier(0)
        size = {} if options.image_size is None else {"img_size": options.image_size}
        preprocessing = _preprocessing(spec, resolve_data_config(size, model=network))
        pooled = _pooled(spec, network, options.pooling, preprocessing.crop)
    except BackboneError:
        raise
    except Exception as error:  # timm's checks are assertions, look-ups and runtime errors.
        raise _misfit(spec, options, error) from error
    architecture = network.pretrained_cfg["architecture"]
    return Built(name, architecture, pooled, preprocessing, options.pooling or "default")


def _create(model: str, options: Options, *, fixed: bool, overlay: dict[str, Any]) -> Any:
    """Return timm's network, with weights and built for the size that the options ask for."""
    pretrained = not options.random_weights
    if options.image_size is None or not fixed:
        return timm.create_model(model, pretrained=pretrained, pretrained_cfg_overlay=overlay)
    if options.random_weights:
        # Random weights are fitted to another size just as real ones are, or refused like them.
        overlay = {"state_dict": timm.create_model(model).state_dict(), "source": None}
    network: Any = timm.create_model(
        model, pretrained=True, pretrained_cfg_overlay=overlay, img_size=options.image_size
    )
    network.pretrained_cfg.pop("state_dict", None)
    return network


def _check_patches(spec: str, network: Any, image_size: int | None) -> None:
    """Refuse a size that leaves a strip beside the last patch, which the network would not see."""
    patch = getattr(getattr(network, "patch_embed", None), "patch_size", None)
    side = max(patch) if isinstance(patch, tuple) else patch
    if image_size is None or not isinstance(side, int) or image_size % side == 0:
        return
    lower = image_size // side * side
    raise BackboneError(
        f"{spec} with images of {image_size} px",
        cause=f"the network does not take this size, which is no multiple of its {side} px patches",
        remedy=f"Use an image size of {lower or side} or {lower + side}",
    )


def _check_classifier(spec: str, network: Any) -> None:
    if not network.num_classes:
        raise BackboneError(
            f"{spec} with pooling {LOGITS}",
            cause="the network comes without a classifier, so it has no logits",
            remedy="Leave pooling out for its features, or choose a classification network",
        )


def _misfit(spec: str, options: Options, error: Exception) -> BackboneError:
    """Return the error for a network that cannot be built or loaded."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # "Error(s) in loading state_dict for …:" says less than the line after it.
    cause = " ".join(lines[:2]) or type(error).__name__
    if len(cause) > 300:
        cause = f"{cause[:300]} …"
    if options.image_size is None:
        return BackboneError(
            f"cannot build {spec}",
            cause=cause.rstrip("."),
            remedy="Check that the weights belong to this network, or choose another backbone",
        )
    return BackboneError(
        f"{spec} with images of {options.image_size} px",
        cause=f"the network does not take this size ({cause.rstrip('.')})",
        remedy="Leave the image size out, or choose another backbone",
    )


def _preprocessing(spec: str, config: Mapping[str, Any]) -> Preprocessing:
    channels, *size = config["input_size"]
    if channels != 3:
        raise BackboneError(
            f"cannot use {spec}",
            cause=f"its input has {channels} channels and photographs have three",
            remedy="Choose another backbone",
        )
    crop = (size[0], size[1])
    scaled = (math.floor(crop[0] / config["crop_pct"]), math.floor(crop[1] / config["crop_pct"]))
    whole = config["crop_mode"] in {"squash", "border"}
    if not whole and crop[0] != crop[1]:
        raise BackboneError(
            f"cannot use {spec}",
            cause=f"its input is a centre crop of {crop[0]} × {crop[1]} px, which is not square",
            remedy="Give a square --image-size, or choose another backbone",
        )
    return Preprocessing(
        resize=scaled if whole else scaled[0],
        crop=crop,
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
        border=config["crop_mode"] == "border",
    )


def _pooled(spec: str, network: nn.Module, pooling: str | None, size: tuple[int, int]) -> nn.Module:
    """Return the network with the pooling that was asked for."""
    if pooling is None or pooling == LOGITS:
        return network
    with torch.no_grad():
        output = network.forward_features(torch.zeros(1, 3, *size))  # type: ignore[operator]
    if not isinstance(output, Tensor) or output.dim() != 3:
        return _averaged(spec, network, pooling)
    has_class_token = getattr(network, "cls_token", None) is not None
    if "cls" in pooling and not has_class_token:
        raise no_tokens(spec, pooling, kind="class token")
    prefix = getattr(network, "num_prefix_tokens", int(has_class_token))
    return TokenPooling(network, pooling, prefix=int(prefix))


def _averaged(spec: str, network: Any, pooling: str) -> nn.Module:
    """Return a network of feature maps with average pooling, the rest of its head as it was."""
    if pooling != "avg":
        raise no_tokens(spec, pooling, kind="tokens")
    try:
        network.reset_classifier(0, "avg")
    except (AssertionError, TypeError, ValueError) as error:
        raise no_tokens(spec, pooling, kind="average pooling") from error
    averaged: nn.Module = network
    return averaged
