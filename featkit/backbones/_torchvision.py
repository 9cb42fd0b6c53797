"""The source `torchvision:`: its classification networks with published weights."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

from featkit.backbones._downloads import WebFile, fetch
from featkit.backbones._pooling import LOGITS, no_tokens, pool_tokens
from featkit.backbones.preprocessing import Preprocessing
from featkit.backbones.source import Built, Options
from featkit.errors import BackboneError

__all__ = ["TorchvisionSource"]


class TorchvisionSource:
    """torchvision's registry: `alexnet`, or `resnet50.IMAGENET1K_V1` for other than default."""

    prefix = "torchvision"

    def names(self) -> Sequence[str]:
        """Return the names with published weights, one for each set of weights."""
        architectures = torchvision.models.list_models(module=torchvision.models)
        return [f"{a}.{w.name}" for a in architectures for w in _all_weights(a)]

    def has(self, name: str) -> bool:
        """Tell whether torchvision knows the network and, if there is one, the weights' name."""
        architecture, _, tag = name.partition(".")
        if architecture not in torchvision.models.list_models(module=torchvision.models):
            return False
        return not tag or tag in {"DEFAULT", *(w.name for w in _all_weights(architecture))}

    def cached(self, name: str) -> bool:
        """Tell whether the weights are in torch.hub's cache."""
        return WebFile(_weights(name).url).cached() is not None

    def build(self, name: str, options: Options) -> Built:
        """Build the network.

        Raises:
            BackboneError: The weights cannot be had, or the network does not allow the options.
        """
        architecture = name.partition(".")[0]
        weights = _weights(name)
        full = f"{architecture}.{weights.name}"
        spec = f"{self.prefix}:{full}"
        network = _create(spec, architecture, weights, random=options.random_weights)
        _drop_side_exits(network)
        if options.pooling != LOGITS:
            _drop_classifier(network, len(weights.meta["categories"]))
            if options.pooling is not None:
                _pool(spec, network, options.pooling)
        preprocessing = _preprocessing(weights.transforms(), options.image_size)
        return Built(full, architecture, network, preprocessing, options.pooling or "default")


def _all_weights(architecture: str) -> Any:
    return torchvision.models.get_model_weights(architecture)


def _weights(name: str) -> Any:
    """Return the entry of torchvision's enumeration that a name means."""
    architecture, _, tag = name.partition(".")
    return _all_weights(architecture)[tag or "DEFAULT"]


def _create(spec: str, architecture: str, weights: Any, *, random: bool) -> nn.Module:
    builder = torchvision.models.get_model_builder(architecture)
    if random:
        network: nn.Module = builder(weights=None, **_as_with_weights(architecture, weights))
        return network
    path = fetch(spec, WebFile(weights.url, checked=True))
    try:
        network = builder(weights=weights, progress=False)
    except Exception as error:  # A damaged file fails in the zip reader, the unpickler or torch.
        raise BackboneError(
            f"cannot load the weights of {spec}",
            cause=f"{path} is cut short or damaged ({type(error).__name__})",
            remedy="Delete the file and run again",
        ) from error
    return network


def _as_with_weights(architecture: str, weights: Any) -> dict[str, Any]:
    """Return what the builder sets of itself where it is given these weights."""
    if architecture in {"googlenet", "inception_v3"}:
        return {"transform_input": True}
    if architecture.startswith("vit_"):
        return {"image_size": weights.meta["min_size"][0]}
    return {}


def _drop_side_exits(network: nn.Module) -> None:
    """Drop the additional classifiers that some networks have for their training."""
    for name in ("aux1", "aux2", "AuxLogits"):
        if hasattr(network, name):
            setattr(network, name, None)


def _drop_classifier(network: nn.Module, classes: int) -> None:
    """Replace the layer that gives the logits, the last of that many outputs, by nothing."""
    layers = [
        name
        for name, module in network.named_modules()
        if getattr(module, "out_features", getattr(module, "out_channels", None)) == classes
    ]
    network.set_submodule(layers[-1], nn.Identity())


def _pool(spec: str, network: nn.Module, pooling: str) -> None:
    """Change the pooling of a vision transformer; other networks have none to choose."""
    if not isinstance(network, torchvision.models.VisionTransformer):
        raise no_tokens(spec, pooling, kind="tokens")
    network.encoder.register_forward_hook(partial(_instead_of_class_token, pooling=pooling))


def _instead_of_class_token(
    module: nn.Module, inputs: object, tokens: Tensor, *, pooling: str
) -> Tensor:
    """Return (B, 1, D), as the network goes on with the first token alone."""
    return torch.cat(pool_tokens(tokens, pooling, prefix=1), dim=1).unsqueeze(1)


def _preprocessing(preset: Any, image_size: int | None) -> Preprocessing:
    (resize,), (crop,) = preset.resize_size, preset.crop_size
    if image_size is not None:
        resize, crop = round(resize * image_size / crop), image_size
    return Preprocessing(
        resize=resize,
        crop=(crop, crop),
        interpolation=preset.interpolation.value,
        mean=tuple(preset.mean),
        std=tuple(preset.std),
    )
