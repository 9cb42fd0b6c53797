"""Features: the feature file (FeatureStore) and the extraction that makes it."""

from featkit.features.description import describe
from featkit.features.extraction import extract
from featkit.features.store import FeatureStore
from featkit.features.turning import TurnedFeatures, turned_features

__all__ = ["FeatureStore", "TurnedFeatures", "describe", "extract", "turned_features"]
