from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from benchmarks.contenders.limit_decode import WAYS


@pytest.fixture(scope="module")
def photograph():
    y, x = np.mgrid[:450, :600]
    pixels = np.stack([x / 600, y / 450, (np.sin(x / 40) + np.cos(y / 30) + 2) / 4], axis=-1)
    buffer = BytesIO()
    Image.fromarray((255 * pixels).astype(np.uint8)).save(buffer, "JPEG", quality=95)
    return buffer.getvalue()


@pytest.mark.parametrize("way", [name for name in WAYS if name != "pillow"])
def test_all_ways_give_the_picture_that_pillow_gives(photograph, way):
    reference = WAYS["pillow"](photograph, 256, 224).astype(int)
    other = WAYS[way](photograph, 256, 224).astype(int)
    assert other.shape == reference.shape == (224, 224, 3)
    assert np.abs(other - reference).mean() < 3
