"""The source `hf-hub:`: repositories in timm's format on the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Sequence

from featkit.backbones._downloads import HubFile, fetch
from featkit.backbones._local_dir import build_folder
from featkit.backbones._timm import SAFE_NAMES
from featkit.backbones.source import Built, Options

__all__ = ["HubSource"]


class HubSource:
    """Repositories with timm's `config.json` and `model.safetensors`, as `owner/name`."""

    prefix = "hf-hub"

    def names(self) -> Sequence[str]:
        """Return nothing: the Hub has no short list."""
        return []

    def has(self, name: str) -> bool:
        """Tell whether the name could be a repository's."""
        return name.count("/") == 1 and all(name.split("/"))

    def cached(self, name: str) -> bool:
        """Tell whether configuration and weights are in the cache."""
        return all(file.cached() is not None for file in _files(name))

    def build(self, name: str, options: Options) -> Built:
        """Fetch the repository's files and build the network from them.

        Raises:
            BackboneError: The files cannot be had, or are not a network of timm.
        """
        spec = f"{self.prefix}:{name}"
        config, weights = _files(name)
        folder = fetch(spec, config).parent
        if not options.random_weights:
            fetch(spec, weights)
        return build_folder(spec, folder, options, name=name)


def _files(name: str) -> tuple[HubFile, HubFile]:
    return HubFile(name, ("config.json",)), HubFile(name, SAFE_NAMES[:1])
