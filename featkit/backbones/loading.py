"""Loading a backbone by name."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from featkit.backbones._pooling import TokenPooling, check_pooling
from featkit.backbones._registry import resolve
from featkit.backbones._surroundings import quiet, seeded
from featkit.backbones._weights import count_parameters, weights_sha256
from featkit.backbones.backbone import Backbone
from featkit.backbones.preprocessing import DECODERS, Preprocessing
from featkit.backbones.source import Built, Options
from featkit.errors import BackboneError, UsageError

__all__ = ["load_backbone"]


def load_backbone(
    spec: str,
    *,
    pooling: str | None = None,
    image_size: int | None = None,
    random_weights: bool = False,
    seed: int = 0,
    decoder: str = "cpu",
) -> Backbone:
    """Return a backbone with its preprocessing, on the CPU and in evaluation mode.

    Args:
        spec: `timm:NAME`, `torchvision:NAME`, `hf-hub:OWNER/NAME`, `local-dir:PATH` or
            `featkit:NAME`; a bare NAME is looked up in timm, torchvision and featkit, in this
            order; a bare path is a folder. Sources that other distributions add are named by their
            prefix.
        pooling: `avg` (patch tokens' mean), `cls` (class token), `cls+avg` (both), `logits` (the
            network as it was trained: its classifier's outputs), or None for the network's own.
        image_size: Side of the square input in pixels, or None for the network's own. Images are
            resized and cropped in the same proportion as at the network's own size.
        random_weights: Do not load weights but draw them (for a dry run or a baseline).
        seed: What random weights depend on.
        decoder: Who decodes and resizes images: `cpu`, or `gpu` for JPEG files by the NVIDIA GPU
            that computes.

    Raises:
        UsageError: An option that cannot be meant.
        BackboneError: The name is unknown, the weights cannot be had or do not fit, or the network
            does not allow the options.
        PluginError: A source that another distribution adds does not work.
    """
    check_pooling(pooling)
    if image_size is not None and image_size < 1:
        raise UsageError(
            f"image size {image_size}",
            cause="an image has at least one pixel",
            remedy="Give the side of the network's input in pixels, such as 224",
        )
    if decoder not in DECODERS:
        raise UsageError(
            f"--decoder {decoder}",
            cause="this value cannot be meant",
            remedy=f"Use {' or '.join(DECODERS)}",
        )
    options = Options(pooling=pooling, image_size=image_size, random_weights=random_weights)
    with quiet(), seeded(seed):
        source, name = resolve(spec)
        built = source.build(name, options)
        built.network.eval()
        resolved = f"{source.prefix}:{built.name}"
        preprocessing = _decoded_by(decoder, resolved, built.preprocessing)
        dimension = measure_dimension(resolved, built)
    # Pooling is not part of the weights, so it may not change their fingerprint.
    weights = built.network.network if isinstance(built.network, TokenPooling) else built.network
    return Backbone(
        spec=resolved,
        architecture=built.architecture,
        network=built.network,
        preprocessing=preprocessing,
        dimension=dimension,
        pooling=built.pooling,
        parameters=count_parameters(built.network),
        weights_sha256=weights_sha256(weights),
        random_weights=random_weights,
        trained_on=built.trained_on,
    )


def _decoded_by(decoder: str, spec: str, preprocessing: Preprocessing) -> Preprocessing:
    if decoder == "gpu" and preprocessing.resampler != "torch":
        raise BackboneError(
            f"{spec} with --decoder gpu",
            cause=f"its images are resized by {preprocessing.interpolation}, for which a GPU has "
            "nothing",
            remedy="Use --decoder cpu",
        )
    return replace(preprocessing, decoder=decoder)


def measure_dimension(spec: str, built: Built) -> int:
    """Return the number of features by sending a black image through the network.

    Raises:
        BackboneError: The network does not take an image of this size, or does not give a vector.
    """
    height, width = built.preprocessing.crop
    try:
        with torch.no_grad():
            output: Tensor = built.network(torch.zeros(1, 3, height, width))
    except Exception as error:  # Whatever the network's layers have against the size.
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise BackboneError(
            f"{spec} with images of {height} × {width} px",
            cause=f"the network does not take this size ({lines[0].rstrip('.')})",
            remedy="Leave the image size out, or choose another backbone",
        ) from error
    if not isinstance(output, Tensor) or output.dim() != 2:
        raise BackboneError(
            f"cannot use {spec}",
            cause="it does not give one vector of features for an image",
            remedy="Name a pooling (avg), or choose another backbone",
        )
    return int(output.shape[1])
