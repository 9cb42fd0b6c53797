"""Whose lesion it is: the sample's metadata, distributed as HAM10000's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

__all__ = ["describe_patients"]

_AGE = ((67, 11), (67, 14), (64, 14), (53, 14), (61, 15), (46, 15), (51, 22))
"""Mean and standard deviation in years, for each class."""

_FEMALE = (0.32, 0.38, 0.42, 0.45, 0.38, 0.48, 0.51)

_UNKNOWN = 0.006
"""Share of patients whose age, and of those whose sex, is not known."""

_SITES = {
    #                   akiec  bcc  bkl   df  mel   nv  vasc
    "abdomen":          (2,    4,   4,    3,   6,  13,  19),
    "back":             (9,   36,  18,    2,  29,  21,  15),
    "chest":            (4,    9,   7,    1,   6,   3,   4),
    "face":            (35,   20,  29,    1,   9,   1,   6),
    "foot":             (1,    1,   2,    2,   3,   4,   1),
    "lower extremity": (20,   11,  16,   69,  17,  22,  19),
    "neck":             (3,    3,   3,    1,   3,   1,   2),
    "scalp":            (6,    4,   4,    1,   2,   1,   1),
    "trunk":            (1,    2,   7,    1,   4,  19,  22),
    "unknown":          (0,    1,   2,    0,   1,   4,   1),
    "upper extremity": (19,    9,   8,   19,  20,  11,  10),
}  # fmt: skip
"""Where on the body, in per cent of each class."""

_EVIDENCE = {
    #             akiec  bcc  bkl   df  mel   nv  vasc
    "confocal":  (0,     0,   6,    0,   0,   0,   0),
    "consensus": (0,     0,  24,   52,   0,   8,  53),
    "follow_up": (0,     0,   0,    0,   0,  55,   0),
    "histo":     (100, 100,  70,   48, 100,  37,  47),
}  # fmt: skip
"""How the diagnosis was made, in per cent of each class."""


def describe_patients(
    label: NDArray[np.int16], rng: np.random.Generator
) -> dict[str, NDArray[np.str_]]:
    """Return HAM10000's columns for lesions of these classes, shape (L,) each, "" = missing."""
    mean, deviation = np.array(_AGE, dtype=float)[label].T
    age = np.clip(np.round(rng.normal(mean, deviation) / 5) * 5, 0, 85)
    known = rng.uniform(size=len(label)) >= _UNKNOWN
    sex = np.where(rng.uniform(size=len(label)) < np.array(_FEMALE)[label], "female", "male")
    sex_known = rng.uniform(size=len(label)) >= _UNKNOWN
    return {
        "dx_type": _choose(_EVIDENCE, label, rng),
        "age": np.where(known, age.astype(str), ""),
        "sex": np.where(sex_known, sex, "unknown"),
        "localization": _choose(_SITES, label, rng),
    }


def _choose(
    table: Mapping[str, tuple[int, ...]], label: NDArray[np.int16], rng: np.random.Generator
) -> NDArray[np.str_]:
    names = np.array(list(table))
    upto = np.cumsum(np.array(list(table.values())), axis=0) / 100
    chosen: NDArray[np.str_] = names[
        (rng.uniform(size=len(label))[:, None] >= upto.T[label]).sum(axis=1)
    ]
    return chosen
