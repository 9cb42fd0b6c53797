"""A small table of images for the tests of plans."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest


@pytest.fixture
def table() -> dict[str, Any]:
    """Arguments of `make_plan`: three classes of 60, 20 and 10 lesions, one to four images each."""
    rng = np.random.default_rng(7)
    lesion_class = np.repeat([0, 1, 2], [60, 20, 10])
    images = rng.integers(1, 5, len(lesion_class))
    group = np.repeat([f"lesion{number:03d}" for number in range(len(lesion_class))], images)
    return {
        "image_id": np.array([f"image{number:04d}" for number in rng.permutation(len(group))]),
        "label": np.repeat(lesion_class, images).astype(np.int16),
        "group": group,
        "classes": ("nv", "mel", "df"),
    }
