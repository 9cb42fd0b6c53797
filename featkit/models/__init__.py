"""Trained models as folders: what a Run leaves behind to be used, without pickle."""

from featkit.models._search import Found
from featkit.models.card import card_of, decides
from featkit.models.cases import Cases
from featkit.models.facts import (
    BackboneFacts,
    Estimate,
    ModelFacts,
    PreprocessingFacts,
    backbone_facts,
)
from featkit.models.making import Made, model_of
from featkit.models.model import TrainedModel, is_model, models_folder

__all__ = [
    "BackboneFacts",
    "Cases",
    "Estimate",
    "Found",
    "Made",
    "ModelFacts",
    "PreprocessingFacts",
    "TrainedModel",
    "backbone_facts",
    "card_of",
    "decides",
    "is_model",
    "model_of",
    "models_folder",
]
