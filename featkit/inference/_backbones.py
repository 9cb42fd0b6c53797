"""The backbone of a model: loaded by its name or from inside the folder, and compared."""

from __future__ import annotations

from dataclasses import replace

from featkit.backbones import Backbone, load_backbone
from featkit.errors import ModelError
from featkit.models import TrainedModel

__all__ = ["backbone_of"]


def backbone_of(model: TrainedModel) -> Backbone:
    """Return what makes the features that a model's head was trained on.

    The processor decodes, whoever decoded the training images: pixels differ by a level at most.

    Raises:
        ModelError: The network or its preprocessing is another one than the model's.
        BackboneError: The weights cannot be had.
    """
    facts = model.facts.backbone
    backbone = load_backbone(
        model.backbone_spec,
        pooling=None if facts.pooling == "default" else facts.pooling,
        image_size=facts.preprocessing.crop[0],
        random_weights=facts.random_weights,
    )
    trained_with = facts.preprocessing.model_dump() | {"decoder": "cpu"}
    points = {
        "architecture": (facts.architecture, backbone.architecture),
        "weights": (facts.weights_sha256, backbone.weights_sha256),
        "features": (facts.dimension, backbone.dimension),
        **{
            f"preprocessing ({name})": (trained_with[name], value)
            for name, value in backbone.preprocessing.to_dict().items()
        },
    }
    for name, (trained, found) in points.items():
        if trained != found:
            raise ModelError(
                f"{model.backbone_spec} is not the backbone of {model.facts.name}",
                cause=f"its {name} differs: {found}, where the head was trained with {trained}",
                remedy="Find the weights that it was trained with (local-dir:PATH), or export "
                "the model again with them inside",
            )
    return replace(backbone, spec=facts.spec)
