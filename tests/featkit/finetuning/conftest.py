"""Small stand-ins: images in memory, some of them broken, and a network of a few weights."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from featkit.backbones.backbone import Backbone
from featkit.backbones.preprocessing import Preprocessing
from featkit.data.dataset import Dataset
from featkit.data.decoding import ImageError
from featkit.experiment import Design
from featkit.finetuning import finetune

CLASSES = ("nv", "mel", "bcc")
LESIONS = (24, 12, 6)
DIMENSION = 8

SMALL = Design(budgets=(100,), draws=1, folds=3)
QUICK = {"epochs": 2, "min_steps": 0, "batch_size": 8, "warmup": 0.0}


class FakeImages:
    """Noise around a colour of the class; `broken` rows cannot be read."""

    def __init__(self, codes, numbers, *, broken=None):
        self.codes, self.numbers, self.broken = codes, numbers, dict(broken or {})
        self.reads = 0

    def __len__(self):
        return len(self.numbers)

    def read(self, row):
        self.reads += 1
        if row in self.broken:
            raise ImageError(self.broken[row])
        rng = np.random.default_rng(int(self.numbers[row]))
        shape = (14 + int(self.numbers[row]) % 3, 18, 3)
        colour = 40 + 80 * np.eye(3)[self.codes[row]]
        return Image.fromarray((colour + rng.integers(0, 120, shape)).astype(np.uint8))

    def signature(self, row):
        return f"{self.numbers[row]}-{self.broken.get(row, '')}"

    def select(self, rows):
        return FakeImages(self.codes[rows], self.numbers[rows])


def make_dataset(lesions=LESIONS, *, broken=None, prefix="", first=0, **fields):
    """Lesions with one or two images each, in mixed order."""
    code = np.repeat(np.arange(len(lesions)), lesions)
    lesion = np.repeat(np.arange(len(code)), 1 + (np.arange(len(code)) % 3 == 0))
    lesion = np.random.default_rng(0).permutation(lesion)
    label = code[lesion].astype(np.int16)
    numbers = first + np.arange(len(label))
    defaults = {
        "name": f"fake:{prefix or 'noise'}",
        "images": FakeImages(label, numbers, broken=broken),
        "image_id": np.array([f"{prefix}image{number}" for number in numbers]),
        "label": label,
        "group": np.array([f"{prefix}lesion{number}" for number in lesion]),
        "classes": CLASSES[: len(lesions)],
        "metadata": {"age": np.array([str(40 + number % 9) for number in lesion])},
    }
    return Dataset(**{**defaults, **fields})


def make_network(*, dropout=0.0):
    with torch.random.fork_rng([]):
        torch.manual_seed(7)
        return nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, DIMENSION, 3),
            nn.BatchNorm2d(DIMENSION),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Dropout(dropout),
        ).eval()


def make_preprocessing(**fields):
    defaults = {
        "resize": 12,
        "crop": (10, 10),
        "interpolation": "bilinear",
        "mean": (0.5, 0.4, 0.3),
        "std": (0.2, 0.3, 0.25),
    }
    return Preprocessing(**{**defaults, **fields})


def make_backbone(network=None, **fields):
    defaults = {
        "spec": "fake:small",
        "architecture": "small",
        "network": network or make_network(),
        "preprocessing": make_preprocessing(),
        "dimension": DIMENSION,
        "pooling": "default",
        "parameters": 1000,
        "weights_sha256": "ab" * 32,
    }
    return Backbone(**{**defaults, **fields})


class Recorder:
    """Remembers what was reported; after `stop_after` images of training it raises `error`."""

    def __init__(self, *, stop_after=None, error=KeyboardInterrupt):
        self.starts, self.advanced, self.notes, self.finished = [], 0, [], 0
        self.stop_after, self.error = stop_after, error

    def start(self, task, *, total, done=0, unit=""):
        self.starts.append((task, total, done, unit))
        self.advanced = 0

    def advance(self, amount, *, note=""):
        self.advanced += amount
        self.notes.append(note)
        training = self.starts[-1][0] == "finetune"
        if training and self.stop_after is not None and self.advanced >= self.stop_after:
            raise self.error

    def finish(self):
        self.finished += 1


def tune(out, *, dataset=None, backbone=None, recipe=None, **options):
    """Fine-tune the stand-ins in a moment, on the CPU."""
    defaults = {"strategies": ("full",), "design": SMALL, "device": "cpu", "workers": 1}
    return finetune(
        dataset or make_dataset(),
        backbone or make_backbone(),
        out,
        recipe={**QUICK, **(recipe or {})},
        **{**defaults, **options},
    )


@pytest.fixture(scope="session", autouse=True)
def steady():
    """One thread, so that sums are added in one order; what is imported is no garbage."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    gc.freeze()
    yield
    gc.unfreeze()
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def fakes():
    """Give the makers above (tests cannot import a conftest)."""

    class Fakes:
        dataset = staticmethod(make_dataset)
        backbone = staticmethod(make_backbone)
        network = staticmethod(make_network)
        preprocessing = staticmethod(make_preprocessing)
        images = FakeImages
        recorder = Recorder
        tune = staticmethod(tune)
        design = SMALL
        quick = QUICK

    return Fakes
