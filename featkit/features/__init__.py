"""Features: the feature file (FeatureStore) and the extraction that makes it."""

from featkit.features.description import describe
from featkit.features.extraction import extract
from featkit.features.store import FeatureStore

__all__ = ["FeatureStore", "describe", "extract"]
