"""Inference: a trained model put to use."""

from featkit.inference.drawing import draw_explanation, write_explanations
from featkit.inference.explaining import (
    Explanation,
    NearCase,
    check_explaining,
    explanations,
)
from featkit.inference.exporting import export_model
from featkit.inference.from_runs import model_of_run
from featkit.inference.heat import Heat, Heater
from featkit.inference.predictions import Predictions
from featkit.inference.predictor import Predictor
from featkit.inference.tables import check_table, images_at, write_table

__all__ = [
    "Explanation",
    "Heat",
    "Heater",
    "NearCase",
    "Predictions",
    "Predictor",
    "check_explaining",
    "check_table",
    "draw_explanation",
    "explanations",
    "export_model",
    "images_at",
    "model_of_run",
    "write_explanations",
    "write_table",
]
