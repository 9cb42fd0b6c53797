"""Backbones: pretrained networks as extractors of features, whatever library they come from."""

from featkit.backbones._registry import SOURCES
from featkit.backbones.backbone import Backbone
from featkit.backbones.listing import BackboneInfo, BackboneList, list_backbones, weights_at_hand
from featkit.backbones.loading import load_backbone
from featkit.backbones.model_facts import MODEL_FACTS, images_seen
from featkit.backbones.normalisation import normalised_by, normalised_with
from featkit.backbones.preprocessing import Preprocessing
from featkit.backbones.source import Built, Options, Source

__all__ = [
    "MODEL_FACTS",
    "SOURCES",
    "Backbone",
    "BackboneInfo",
    "BackboneList",
    "Built",
    "Options",
    "Preprocessing",
    "Source",
    "images_seen",
    "list_backbones",
    "load_backbone",
    "normalised_by",
    "normalised_with",
    "weights_at_hand",
]
