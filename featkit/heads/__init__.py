"""Classifiers on frozen features: scikit-learn estimators that make their choices inside `fit`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from featkit.heads._problem import HeldOutRows
from featkit.heads.base import Head
from featkit.heads.registry import HEADS, make_head
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
    "TrainingSet",
    "Views",
    "fit_together",
    "make_head",
]


def __getattr__(name: str) -> type[Head]:
    """Import a head when its class is first asked for."""
    names = {"LinearHead": "linear", "LightGBMHead": "lightgbm", "MLPHead": "mlp"}
    if name in names:
        return HEADS[names[name]]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
