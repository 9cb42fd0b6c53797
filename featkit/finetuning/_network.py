"""The network that is fine-tuned: a backbone and a new last layer, and which parts are trained."""

from __future__ import annotations

from timm.models import group_parameters
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.utils import skip_init

from featkit.backbones import Backbone

__all__ = ["Classifier", "changing", "parameter_groups", "train_mode"]

_DOMINANT = 0.8
"""A part with more than this share of the parameters is looked into for its own parts."""


class Classifier(nn.Module):
    """Features of a backbone, and logits by a linear layer.

    Args:
        backbone: Its network is taken over, not copied.
        classes: Number of classes C.
        strategy: Decides which parameters are trained (see `recipe.STRATEGIES`).

    Attributes:
        strategy: As given.
        network: Normalised images (B, 3, H, W) to features (B, D).
        last: Features to logits (B, C); zero at first, so that all classes start alike.
    """

    def __init__(self, backbone: Backbone, classes: int, strategy: str) -> None:
        super().__init__()
        self.strategy = strategy
        self.network = backbone.network
        # Not drawn first, which would take numbers from the caller's generator.
        self.last = skip_init(nn.Linear, backbone.dimension, classes)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)
        trained = {"head": set[str](), "last": set(_stages(self.network)[-1])}
        for name, parameter in self.network.named_parameters():
            parameter.requires_grad_(name in trained.get(strategy, {name}))

    def forward(self, x: Tensor) -> Tensor:
        """Return logits (B, C) of normalised images (B, 3, H, W)."""
        logits: Tensor = self.last(self.network(x))
        return logits

    def trained(self) -> int:
        """Return the number of parameters that are trained."""
        return sum(p.numel() for p in self.parameters() if p.requires_grad)


def train_mode(module: nn.Module, *, batch_norm: str) -> None:
    """Put what is trained into training mode; what is frozen keeps its statistics and is whole.

    Args:
        module: The network, or a part of it.
        batch_norm: `frozen` keeps batch normalisation's statistics even where it is trained.
    """
    parameters = list(module.parameters())
    kept = batch_norm == "frozen" and isinstance(module, _BatchNorm)
    if kept or (parameters and not any(parameter.requires_grad for parameter in parameters)):
        module.eval()
        return
    module.training = True
    for child in module.children():
        train_mode(child, batch_norm=batch_norm)


def changing(model: Classifier) -> list[str]:
    """Return the names of parameters and statistics that training changes."""
    frozen = {
        f"{prefix}.{name}"
        for prefix, module in model.named_modules()
        if any(True for _ in module.parameters())
        and not any(parameter.requires_grad for parameter in module.parameters())
        for name in module.state_dict()
    }
    still = {name for name, parameter in model.named_parameters() if not parameter.requires_grad}
    return [name for name in model.state_dict() if name not in frozen | still]


def parameter_groups(
    model: Classifier, *, weight_decay: float, layer_decay: float
) -> list[dict[str, object]]:
    """Return the trained parameters in groups, for an optimiser and timm's schedulers.

    Each layer's learning rate is `layer_decay` times that of the layer after it (`lr_scale`);
    biases and normalisation have no weight decay.
    """
    groups: list[dict[str, object]] = []
    layers = [*_layers(model.network), None]
    for distance, names in enumerate(reversed(layers)):
        part = (
            list(model.last.parameters())
            if names is None
            else [model.network.get_parameter(name) for name in names]
        )
        trained = [parameter for parameter in part if parameter.requires_grad]
        for decayed in (True, False):
            chosen = [p for p in trained if (p.ndim > 1) == decayed]
            if chosen:
                groups.append(
                    {
                        "params": chosen,
                        "weight_decay": weight_decay if decayed else 0.0,
                        "lr_scale": layer_decay**distance,
                    }
                )
    return groups


def _layers(network: nn.Module) -> list[list[str]]:
    """Return the parameters' names by layer, from input to output."""
    return _groups(network, coarse=False)


def _stages(network: nn.Module) -> list[list[str]]:
    """Return the parameters' names by stage, from input to output."""
    return _groups(network, coarse=True)


def _groups(network: nn.Module, *, coarse: bool) -> list[list[str]]:
    if hasattr(network, "group_matcher"):
        grouped = group_parameters(network, network.group_matcher(coarse=coarse))  # type: ignore[operator]
        parts = [grouped[number] for number in sorted(grouped)]
    else:
        parts = _parts(network, prefix="", whole=sum(p.numel() for p in network.parameters()))
    return _with_normalisation(network, parts) or [[]]


def _with_normalisation(network: nn.Module, parts: list[list[str]]) -> list[list[str]]:
    """Return the parts, those without a matrix as part of the one before: they are no layer."""
    joined: list[list[str]] = []
    for part in parts:
        if joined and all(network.get_parameter(name).ndim < 2 for name in part):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


def _parts(module: nn.Module, *, prefix: str, whole: int) -> list[list[str]]:
    """Return the parameters' names by submodule, looking into those that are most of the network.

    A wrapper around a network of timm is asked for timm's own order by its child.
    """
    own = [prefix + name for name, _ in module.named_parameters(recurse=False)]
    parts = [own] if own else []
    for name, child in module.named_children():
        inside = f"{prefix}{name}."
        if hasattr(child, "group_matcher"):
            grouped = _groups(child, coarse=True)
            parts += [[inside + parameter for parameter in group] for group in grouped]
        elif sum(p.numel() for p in child.parameters()) > _DOMINANT * whole:
            parts += _parts(child, prefix=inside, whole=whole)
        elif names := [inside + parameter for parameter, _ in child.named_parameters()]:
            parts.append(names)
    return parts
