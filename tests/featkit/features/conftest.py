"""Small stand-ins: images in memory, some of them broken, and a network of a few weights."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from featkit.backbones.backbone import Backbone
from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError
from featkit.features import extract

DIMENSION = 12


class FakeImages:
    """Noise with a different mean for each row; `broken` rows cannot be read."""

    def __init__(self, rows, *, broken=None, version="1"):
        self.rows, self.broken, self.version = list(rows), dict(broken or {}), version

    def __len__(self):
        return len(self.rows)

    def read(self, row):
        if row in self.broken:
            problem = self.broken[row]
            raise problem if isinstance(problem, BaseException) else ImageError(problem)
        name = self.rows[row]
        rng = np.random.default_rng(name)
        shape = (20 + name % 5, 26, 3)
        return Image.fromarray(rng.integers(name % 100, 256, shape, dtype=np.uint8))

    def signature(self, row):
        return f"{self.rows[row]}-{self.version}"

    def select(self, rows):
        broken = {new: self.broken[row] for new, row in enumerate(rows) if row in self.broken}
        return FakeImages([self.rows[row] for row in rows], broken=broken, version=self.version)


def make_dataset(count=600, *, broken=None, version="1", **fields):
    defaults = {
        "name": "fake:noise",
        "images": FakeImages(range(count), broken=broken, version=version),
        "image_id": np.array([f"image{row}" for row in range(count)]),
        "label": (np.arange(count) % 4 - 1).astype(np.int16),
        "group": np.array([f"lesion{row // 2}" for row in range(count)]),
        "classes": ("a", "b", "ç"),
        "metadata": {"age": np.array([str(row % 90) for row in range(count)])},
    }
    return Dataset(**{**defaults, **fields})


def make_network(scale=1.0):
    generator = torch.Generator().manual_seed(7)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2),
        nn.GELU(),
        nn.Conv2d(8, DIMENSION, 3, stride=2),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
    )
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator) * 0.3 * scale)
    return network.eval()


def make_backbone(network=None, **fields):
    defaults = {
        "spec": "fake:small",
        "architecture": "small",
        "network": network or make_network(),
        "preprocessing": Preprocessing(
            resize=18, crop=(16, 16), interpolation="bilinear", mean=(0.5,) * 3, std=(0.2,) * 3
        ),
        "dimension": DIMENSION,
        "pooling": "default",
        "parameters": 1000,
        "weights_sha256": "ab" * 32,
    }
    return Backbone(**{**defaults, **fields})


def make_photo(number, *, size=(52, 40), mode="RGB"):
    """Return a smooth picture, which JPEG changes little."""
    rng = np.random.default_rng(number)
    few = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    return few.resize(size, Image.Resampling.BICUBIC).convert(mode)


def write_photos(folder, count, **fields):
    """Write JPEG files of two classes into a folder, and return it."""
    for number in range(count):
        file = folder / "ab"[number % 2] / f"{number:04}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        make_photo(number, **fields).save(file, quality=95)
    return folder


class Recorder:
    """Remembers what was reported; `stop_after` images it raises `error`."""

    def __init__(self, *, stop_after=None, error=KeyboardInterrupt):
        self.starts, self.advanced, self.notes, self.finished = [], 0, [], 0
        self.stop_after, self.error = stop_after, error

    def start(self, task, *, total, done=0, unit=""):
        self.starts.append((task, total, done, unit))

    def advance(self, amount, *, note=""):
        self.advanced += amount
        self.notes.append(note)
        if self.stop_after is not None and self.advanced >= self.stop_after:
            raise self.error

    def finish(self):
        self.finished += 1


@pytest.fixture
def dataset():
    return make_dataset()


@pytest.fixture
def backbone():
    return make_backbone()


@pytest.fixture(scope="session")
def fakes():
    """Give the makers above (tests cannot import a conftest)."""

    class Fakes:
        dataset = staticmethod(make_dataset)
        backbone = staticmethod(make_backbone)
        network = staticmethod(make_network)
        images = FakeImages
        photo = staticmethod(make_photo)
        photos = staticmethod(write_photos)
        recorder = Recorder

    return Fakes


@pytest.fixture(scope="session")
def whole(tmp_path_factory):
    """The path of a finished feature file of 600 images in two views, two of which failed."""
    path = tmp_path_factory.mktemp("whole") / "features.h5"
    broken = {3: "0 bytes", 599: "not an image"}
    split = np.array(["train"] * 500 + ["test"] * 100)
    extract(
        make_dataset(broken=broken, split=split),
        make_backbone(),
        path,
        views=2,
        device="cpu",
        precision="fp32",
        workers=2,
    )
    return path
