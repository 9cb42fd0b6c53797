"""Classifiers on frozen features: scikit-learn estimators that make their choices inside `fit`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from featkit.heads._problem import HeldOutRows, Problem, Sample, Split
from featkit.heads.base import Head
from featkit.heads.registry import HEADS, find_head, make_head
from featkit.heads.together import TrainingSet, fit_together
from featkit.heads.views import PLAIN, Views

if TYPE_CHECKING:
    from featkit.heads.boosting import LightGBMHead
    from featkit.heads.linear import LinearHead
    from featkit.heads.mlp import MLPHead

__all__ = [
    "HEADS",
    "PLAIN",
    "Head",
    "HeldOutRows",
    "LightGBMHead",
    "LinearHead",
    "MLPHead",
    "Problem",
    "Sample",
    "Split",
    "TrainingSet",
    "Views",
    "find_head",
    "fit_together",
    "make_head",
]


def __getattr__(name: str) -> object:
    """Import a head when its class is first asked for: LightGBM and torch are heavy."""
    modules = {"LinearHead": "linear", "LightGBMHead": "boosting", "MLPHead": "mlp"}
    if name in modules:
        return getattr(import_module(f"featkit.heads.{modules[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
