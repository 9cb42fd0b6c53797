"""A trained model to serve: of HAM10000 where it is at hand, else of drawn images."""

from __future__ import annotations

from pathlib import Path

from benchmarks.material.features import feature_store
from featkit import FeatureStore

__all__ = ["trained_model"]

_DRAWN = "synthetic:images=400,size=32"


def trained_model(work: Path, *, quick: bool = False) -> tuple[Path, bool]:
    """Return the folder of a linear head's model, and whether it knows real images.

    Args:
        work: A temporary folder.
        quick: Train on drawn images, with the bundled backbone.
    """
    from featkit.experiment import Design
    from featkit.sweep import fit

    store, real = (None, False) if quick else feature_store(work)
    out = work / "trained"
    fit(
        [store if real and store is not None else _small_store(work)],
        out,
        heads=["linear"],
        design=Design(budgets=(100,), draws=1),
        jobs=1,
        save_models=True,
    )
    (folder,) = (path.parent for path in (out / "models").glob("*/model.json"))
    return folder, real


def _small_store(work: Path) -> FeatureStore:
    from featkit.backbones import load_backbone
    from featkit.data import load_dataset
    from featkit.features import extract

    backbone = load_backbone("featkit:tiny")
    return extract(load_dataset(_DRAWN), backbone, work / "small.h5", device="cpu")
