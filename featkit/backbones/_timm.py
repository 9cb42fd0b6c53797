"""The source `timm:`: every network of timm's registry that has published weights."""

from __future__ import annotations

from collections.abc import Sequence

from timm.models import (
    get_deprecated_models,
    get_pretrained_cfg,
    is_model,
    list_pretrained,
)

from featkit.backbones._downloads import HubFile, Remote, WebFile, fetch
from featkit.backbones._timm_network import build_network
from featkit.backbones.source import Built, Options
from featkit.errors import BackboneError

__all__ = ["SAFE_NAMES", "TimmSource"]

SAFE_NAMES = ("model.safetensors", "open_clip_model.safetensors")
"""What timm's weights on the Hub are called."""


class TimmSource:
    """timm's registry: `resnet50` for the default weights, `resnet50.a1_in1k` for others."""

    prefix = "timm"

    def names(self) -> Sequence[str]:
        """Return the names with published weights, tags included."""
        names: list[str] = list_pretrained()
        return names

    def has(self, name: str) -> bool:
        """Tell whether timm knows the network and, if there is one, the tag."""
        if not is_model(name):
            return False
        try:
            get_pretrained_cfg(_current(name))
        except RuntimeError:
            return False
        return True

    def cached(self, name: str) -> bool:
        """Tell whether the weights are in the cache of the Hub or of torch.hub."""
        remote = _remote(name)
        return remote is not None and remote.cached() is not None

    def build(self, name: str, options: Options) -> Built:
        """Build the network.

        Raises:
            BackboneError: There are no weights, they cannot be had, or an option is not allowed.
        """
        config = get_pretrained_cfg(_current(name))
        full = _full_name(name)
        spec = f"timm:{full}"
        overlay = {}
        if not options.random_weights:
            remote = _remote(name)
            if remote is None:
                raise BackboneError(
                    f"no weights for {spec}",
                    cause="timm knows the network but publishes no weights for it",
                    remedy=f"Choose one that `featkit backbones {name.partition('_')[0]}` lists, "
                    "or ask for --random-weights",
                )
            overlay = {"file": str(fetch(spec, remote)), "custom_load": False}
        return build_network(
            spec,
            full,
            options,
            name=full,
            fixed=config is not None and config.fixed_input_size,
            overlay=overlay,
        )


def _current(name: str) -> str:
    """Return the present name of a network that timm has renamed."""
    current: str | None = get_deprecated_models().get(name)
    return current or name


def _full_name(name: str) -> str:
    """Return the name with the tag of its weights."""
    current = _current(name)
    config = get_pretrained_cfg(current)
    if config is None or not config.tag:
        return current
    return f"{config.architecture}.{config.tag}"


def _remote(name: str) -> Remote | None:
    """Return where the weights are, or None where timm publishes none."""
    config = get_pretrained_cfg(_current(name))
    if config is None or not config.has_weights:
        return None
    if config.hf_hub_id:
        return HubFile(config.hf_hub_id, SAFE_NAMES)
    return WebFile(str(config.url))
