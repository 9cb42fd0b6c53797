"""Data sets of the right layouts at toy size, and a study that takes seconds."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from featkit.data import synthetic_dataset, write_sample

STUDY = """
note = "A test. With a second sentence."

[data]
spec = "synthetic:images=120,size=32"

[backbones]
tiny = { spec = "featkit:tiny", image_size = 32 }

[extract]
precision = "fp32"

[design]
budgets = [50, 100]
draws = 1
folds = 3

[report]
resamples = 100

[arms.original.design]
split = "random"

[arms.original.fit.frozen]
heads = ["linear"]

[arms.proper.fit.frozen]
heads = ["linear"]

[[published]]
what = "the best"
value = 0.9
"""

ISIC_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def study_text() -> str:
    return STUDY


@pytest.fixture
def write_study(tmp_path: Path) -> Callable[..., Path]:
    """Return a writer of the small study, with texts replaced: `write_study(old=new)`."""

    def write(*changes: tuple[str, str], name: str = "toy") -> Path:
        text = STUDY
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        path = tmp_path / f"{name}.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture(scope="session")
def ham10000(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "ham10000"
    write_sample(synthetic_dataset(images=84, size=32), folder)
    return folder


@pytest.fixture(scope="session")
def hmnist(tmp_path_factory: pytest.TempPathFactory, ham10000: Path) -> Path:
    """Kaggle's CSV, with HAM10000's own table beside it."""
    folder = tmp_path_factory.mktemp("hmnist")
    sample = synthetic_dataset(images=84, size=28)
    order = ("akiec", "bcc", "bkl", "df", "nv", "vasc", "mel")
    with (folder / "hmnist_28_28_RGB.csv").open("w", newline="") as handle:
        table = csv.writer(handle)
        table.writerow([*(f"pixel{number:04d}" for number in range(28 * 28 * 3)), "label"])
        for row in range(len(sample)):
            pixels = np.asarray(sample.images.read(row)).ravel().tolist()
            table.writerow([*pixels, order.index(sample.classes[sample.label[row]])])
    source = ham10000 / "HAM10000_metadata.csv"
    (folder / source.name).write_bytes(source.read_bytes())
    return folder / "hmnist_28_28_RGB.csv"


@pytest.fixture(scope="session")
def isic2019(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Images with one-hot ground truth of eight classes, and a table of lesions."""
    folder = tmp_path_factory.mktemp("isic2019")
    images = folder / "ISIC_2019_Training_Input"
    images.mkdir()
    generator = np.random.default_rng(0)
    truth, lesions = [("image", *ISIC_2019, "UNK")], [("image", "lesion_id")]
    for number in range(96):
        name, label = f"ISIC_{number:07d}", number % len(ISIC_2019)
        pixels = generator.integers(0, 255, (32, 32, 3)) // 2 + 15 * label
        Image.fromarray(pixels.astype(np.uint8)).save(images / f"{name}.jpg")
        truth.append((name, *(float(column == label) for column in range(9))))
        lesions.append((name, f"L{label}-{number // len(ISIC_2019) // 2}"))
    for name, rows in (("ISIC_2019_Training_GroundTruth", truth), ("lesions", lesions)):
        with (folder / f"{name}.csv").open("w", newline="") as handle:
            csv.writer(handle).writerows(rows)
    return folder, folder / "lesions.csv"


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory, isic2019: tuple[Path, Path]) -> Path:
    """The same eight classes, one folder each."""
    root = tmp_path_factory.mktemp("folders")
    for number, path in enumerate(sorted(isic2019[0].rglob("*.jpg"))):
        folder = root / ISIC_2019[number % len(ISIC_2019)]
        folder.mkdir(exist_ok=True)
        (folder / path.name).write_bytes(path.read_bytes())
    return root
