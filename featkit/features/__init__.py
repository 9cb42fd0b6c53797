"""Features: the feature file (FeatureStore) and the extraction that makes it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from featkit.features.description import describe
from featkit.features.extraction import extract
from featkit.features.store import FeatureStore
from featkit.features.turning import TurnedFeatures, turned_features

if TYPE_CHECKING:
    from featkit.features._views import all_views
    from featkit.features.streaming import FeatureBatch, FeatureStream
    from featkit.features.transformer import FeatureExtractor

__all__ = [
    "FeatureBatch",
    "FeatureExtractor",
    "FeatureStore",
    "FeatureStream",
    "TurnedFeatures",
    "all_views",
    "describe",
    "extract",
    "turned_features",
]

_LATER = {
    "FeatureBatch": "streaming",
    "FeatureExtractor": "transformer",
    "FeatureStream": "streaming",
    "all_views": "_views",
}


def __getattr__(name: str) -> object:
    """Import what needs torch or scikit-learn when it is first asked for."""
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
