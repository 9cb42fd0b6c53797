"""Which distance tells strange images: cosine or Euclidean to the nearest cases, or Mahalanobis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from sklearn.covariance import LedoitWolf
from sklearn.datasets import load_sample_images

import featkit
from benchmarks.harness import Report, Settings, Table
from benchmarks.material import SHARED
from featkit.data import Dataset
from featkit.features import FeatureExtractor

__all__ = ["run"]

_LEVEL = 0.95
_NEIGHBOURS = 5
_REFERENCE = 1_500

Features = NDArray[np.float64]
Distance = Callable[[Features, NDArray[np.str_] | None], Features]


def run(settings: Settings) -> Report:
    """Measure how many images of each kind are flagged where 5% of training lesions are."""
    report = Report("strange", settings.told())
    dataset, spec, real = _material(quick=settings.quick)
    features = _features(spec, [dataset.images.read(row) for row in range(len(dataset))])
    rng = np.random.default_rng(0)
    lesions = np.unique(dataset.group)
    tested = np.isin(dataset.group, rng.permutation(lesions)[: len(lesions) // 5])
    settings.watcher.section("strange images")
    kinds = {
        name: _features(spec, images)
        for name, images in _strange(dataset, np.flatnonzero(tested)[:200]).items()
    }
    kinds = {"test images (false alarms)": features[tested], **kinds}
    group = dataset.group[~tested]
    first = np.unique(group, return_index=True)[1]
    reference = rng.permutation(first)[:_REFERENCE]
    rows = []
    for name, distance in _distances(features[~tested], group).items():
        own = distance(features[~tested][reference], group[reference])
        threshold = np.quantile(own, _LEVEL)
        found = {
            kind: float((distance(each, None) > threshold).mean()) for kind, each in kinds.items()
        }
        report.summary[name] = found
        rows.append([name, *(f"{share:.2f}" for share in found.values())])
    report.tables.append(
        Table(
            title="Share of images that are farther than 95% of the training lesions",
            columns=["distance", *kinds],
            rows=rows,
            notes=[f"{'HAM10000 and MobileNetV2' if real else 'Drawn images'}; k = 5."],
        )
    )
    return report


def _material(*, quick: bool) -> tuple[Dataset, str, bool]:
    weights, images = SHARED / "weights" / "mobilenetv2_100.tf_in1k", SHARED / "ham10000"
    if quick or not (weights.exists() and images.exists()):
        return featkit.load_dataset("synthetic:images=300,size=48"), "featkit:tiny", False
    return featkit.load_dataset(f"ham10000:{images}"), f"local-dir:{weights}", True


def _features(spec: str, images: Sequence[Image.Image]) -> Features:
    extractor = FeatureExtractor(spec, device="cpu").fit([])
    return extractor.transform(images).astype(np.float64)


def _strange(dataset: Dataset, rows: NDArray[np.intp]) -> dict[str, list[Image.Image]]:
    rng = np.random.default_rng(1)
    images = [dataset.images.read(int(row)) for row in rows]
    high, wide = images[0].height, images[0].width
    photographs = [
        Image.fromarray(whole[top : top + high, left : left + wide])
        for whole in load_sample_images().images
        for top in range(0, whole.shape[0] - high, 60)
        for left in range(0, whole.shape[1] - wide, 70)
    ]
    return {
        "one colour": [
            Image.new("RGB", (wide, high), tuple(rng.integers(0, 256, 3).tolist()))
            for _ in range(100)
        ],
        "noise": [
            Image.fromarray(rng.integers(0, 256, (high, wide, 3), dtype=np.uint8))
            for _ in range(100)
        ],
        "photographs of other things": photographs,
        "blurred": [each.filter(ImageFilter.GaussianBlur(high / 19)) for each in images],
        "half covered": [_covered(each) for each in images],
        "inverted": [ImageOps.invert(each) for each in images],
        "red and blue exchanged": [Image.merge("RGB", each.split()[::-1]) for each in images],
        "without colour": [each.convert("L").convert("RGB") for each in images],
    }


def _covered(image: Image.Image) -> Image.Image:
    pixels = np.array(image)
    pixels[:, : image.width // 2] = 0
    return Image.fromarray(pixels)


def _distances(train: Features, group: NDArray[np.str_]) -> Mapping[str, Distance]:
    """Return distances of features (n, D) from the training images, other lesions' where given."""
    mean, scale = train.mean(axis=0), np.maximum(train.std(axis=0), 1e-9)
    spread = LedoitWolf().fit(train)

    def nearest(change: Callable[[Features], Features]) -> Distance:
        rows = change(train)
        squares = (rows**2).sum(axis=1)

        def of(features: Features, own: NDArray[np.str_] | None) -> Features:
            given = change(features)
            between = (given**2).sum(axis=1)[:, None] + squares - 2 * given @ rows.T
            if own is not None:
                between[own[:, None] == group] = np.inf
            return np.asarray(np.partition(between, _NEIGHBOURS - 1, axis=1)[:, _NEIGHBOURS - 1])

        return of

    return {
        "cosine, 5th nearest (featkit's)": nearest(_unit),
        "cosine, standardised": nearest(lambda each: _unit((each - mean) / scale)),
        "Euclidean, 5th nearest": nearest(lambda each: each),
        "Euclidean, standardised": nearest(lambda each: (each - mean) / scale),
        "Mahalanobis": lambda features, own: np.asarray(spread.mahalanobis(features)),
    }


def _unit(features: Features) -> Features:
    return np.asarray(features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12))
