"""Origin: what a store says of the way from images to its features, for models made from it."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import ValidationError

from featkit.errors import StoreError
from featkit.features import FeatureStore
from featkit.models import BackboneFacts

__all__ = ["Origin", "origin_of"]


@dataclass(frozen=True)
class Origin:
    """Where the features of a model came from.

    Attributes:
        backbone: What made them.
        dataset: The data set's name and fingerprint.
    """

    backbone: BackboneFacts
    dataset: tuple[str, str]


def origin_of(store: FeatureStore) -> Origin:
    """Return what a store says of where its features came from.

    Raises:
        StoreError: Too little: nobody could make the features of another image.
    """
    found = store.attributes
    names = set(BackboneFacts.model_fields) & set(found.get("backbone", {}))
    facts = {name: found["backbone"][name] for name in names}
    facts |= {name: found.get(name) for name in ("preprocessing", "precision")}
    try:
        backbone = BackboneFacts.model_validate(facts, strict=False)
    except ValidationError as error:
        raise StoreError(
            f"no model can be made from {store.path}",
            cause="it does not say what made its features",
            remedy="Use a file that `featkit extract` made, or leave --save-models out",
        ) from error
    dataset = found.get("dataset", {})
    return Origin(backbone, (store.dataset_name, str(dataset.get("fingerprint", ""))))
