"""Pictures, folders of weights and servers for the tests of backbones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from timm.models import save_for_hf

SHARED_WEIGHTS = Path(__file__).resolve().parents[4] / "shared" / "weights"


def picture(width: int, height: int) -> Image.Image:
    """A picture with smooth areas, edges and grain."""
    rng = np.random.default_rng(width * height)
    y, x = np.mgrid[:height, :width]
    lesion = (x - width * 0.45) ** 2 + (y - height * 0.55) ** 2 < (0.3 * height) ** 2
    channels = [
        np.where(lesion, 90 + 30 * k, 200 - 20 * k) + 20 * np.sin(x / (7 + k)) for k in range(3)
    ]
    grain = rng.normal(0, 6, (height, width, 3))
    return Image.fromarray(np.clip(np.stack(channels, axis=2) + grain, 0, 255).astype(np.uint8))


@pytest.fixture(scope="session")
def pictures() -> list[Image.Image]:
    """Photographs' sizes: HAM10000, its thumbnails, upright, smaller than any crop, odd."""
    return [picture(*size) for size in [(600, 450), (200, 150), (150, 200), (31, 57), (641, 333)]]


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def _empty_torch_home(tmp_path, monkeypatch):
    """No test may find weights in the user's cache, or leave some there."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def folder(tmp_path) -> Path:
    """A small network in timm's folder format."""
    path = tmp_path / "weights"
    torch.manual_seed(7)
    save_for_hf(timm.create_model("test_resnet"), path, safe_serialization=True)
    return path


@pytest.fixture
def shared_weights() -> Path:
    if not SHARED_WEIGHTS.is_dir():
        pytest.skip("../shared/weights, the real pretrained networks, is not here")
    return SHARED_WEIGHTS
