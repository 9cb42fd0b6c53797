"""What the benchmarks work on: images, features and weights; real where they are at hand."""

from benchmarks.material.features import feature_store, save_split
from benchmarks.material.images import drawn_images, image_folder, links
from benchmarks.material.labelled import Labelled, labelled_images
from benchmarks.material.models import trained_model
from benchmarks.material.places import SHARED, cache
from benchmarks.material.weights import NETWORKS, Network, weights_folder

__all__ = [
    "NETWORKS",
    "SHARED",
    "Labelled",
    "Network",
    "cache",
    "drawn_images",
    "feature_store",
    "image_folder",
    "labelled_images",
    "links",
    "save_split",
    "trained_model",
    "weights_folder",
]
