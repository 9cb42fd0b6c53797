"""What a drawn lesion is, apart from its photographs: traits, and how classes differ in them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from featkit.fingerprints import stable_seed

__all__ = [
    "CLASSES",
    "SHARES",
    "TRAITS",
    "Lesion",
    "class_lesion",
    "generator",
    "unspecific_lesion",
]

CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
"""HAM10000's seven classes, in its order."""

SHARES = (0.033, 0.051, 0.110, 0.0115, 0.111, 0.6695, 0.0142)
"""HAM10000's share of images in each class."""

_CLASS_MEANS = {
    #               akiec    bcc    bkl     df    mel     nv   vasc
    "size":        ( 0.22,  0.00,  0.33, -0.44,  0.55, -0.22, -0.33),
    "elongation":  ( 0.00,  0.00,  0.22, -0.33,  0.33,  0.00, -0.22),
    "jaggedness":  ( 0.55,  0.22,  0.11, -0.44,  0.66, -0.33, -0.22),
    "softness":    ( 0.66,  0.11, -0.55,  0.77,  0.00,  0.00, -0.44),
    "melanin":     (-0.77, -0.66,  0.00, -0.44,  0.88,  0.22, -0.88),
    "redness":     ( 0.77,  0.55, -0.33,  0.11,  0.11, -0.33,  1.43),
    "blueness":    (-0.66,  0.44, -0.44, -0.55,  0.66, -0.44,  0.77),
    "pale centre": (-0.22, -0.22, -0.33,  1.32, -0.11, -0.22, -0.55),
    "network":     (-0.88, -0.99, -0.44,  0.22,  0.33,  0.44, -1.10),
    "globules":    (-0.33, -0.22,  0.11, -0.44,  0.33,  0.22, -0.33),
    "vessels":     ( 0.33,  1.21, -0.55, -0.33,  0.00, -0.55, -0.11),
    "scale":       ( 1.10,  0.22,  0.33, -0.66, -0.11, -0.66, -0.55),
    "variegation": ( 0.22,  0.33,  0.00, -0.55,  0.88, -0.33, -0.11),
    "asymmetry":   ( 0.22,  0.22,  0.00, -0.33,  0.88, -0.33, -0.11),
    "keratin":     ( 0.22, -0.44,  1.10, -0.55, -0.44, -0.44, -0.77),
}  # fmt: skip
"""Mean of each of the lesion's own traits in each class; 0 is the middle of the trait's range."""

_SURROUNDINGS = ("tan", "flush", "mottling", "hair", "warmth", "vignette")

TRAITS = (*_CLASS_MEANS, *_SURROUNDINGS)
"""The lesion's own traits, then those of its patient's skin and of the instrument."""

_SPREAD = 0.75
"""Standard deviation of a trait within a class: the classes overlap."""


@dataclass(frozen=True)
class Lesion:
    """A lesion on its patient's skin, as every photograph of it shows it.

    Attributes:
        traits: One value for each of `TRAITS` on the scale of a standard normal, shape (T,).
        seed: Decides where border, blotches, dots, vessels and hairs lie.
    """

    traits: NDArray[np.float64]
    seed: int

    def levels(self) -> dict[str, float]:
        """Return each trait as a quantile between 0 and 1."""
        return dict(zip(TRAITS, ndtr(self.traits).tolist(), strict=True))


def generator(*parts: object) -> np.random.Generator:
    """Return a generator that depends on the values alone."""
    return np.random.Generator(np.random.PCG64(stable_seed(*parts)))


def unspecific_lesion(*key: object) -> Lesion:
    """Return a lesion of no class: every trait is spread over its whole range."""
    traits = generator("lesion", *key).standard_normal(len(TRAITS))
    return Lesion(traits, stable_seed("texture", *key))


def class_lesion(label: int, *key: object) -> Lesion:
    """Return a lesion of the class of that index."""
    lesion = unspecific_lesion(*key)
    traits = lesion.traits.copy()
    means = [column[label] for column in _CLASS_MEANS.values()]
    traits[: len(means)] = means + _SPREAD * traits[: len(means)]
    return Lesion(traits, lesion.seed)
