from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def put_images() -> Callable[[Path, Iterable[str]], None]:
    """Write small images of different colours under a folder."""

    def put(folder: Path, names: Iterable[str]) -> None:
        for number, name in enumerate(names):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            colour = (number * 37 % 256, number * 91 % 256, sum(name.encode()) % 256)
            Image.new("RGB", (8 + number % 3, 6), colour).save(path)

    return put


@pytest.fixture
def put_table() -> Callable[..., Path]:
    """Write rows as delimited text."""

    def put(path: Path, rows: Sequence[Sequence[object]], delimiter: str = ",") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(delimiter.join(map(str, row)) + "\n" for row in rows))
        return path

    return put


@pytest.fixture
def ham10000(
    tmp_path: Path,
    put_images: Callable[[Path, Iterable[str]], None],
    put_table: Callable[..., Path],
) -> Path:
    """A small data set in Kaggle's layout: four images of three lesions."""
    root = tmp_path / "ham"
    put_images(root / "HAM10000_images_part_1", ["ISIC_1.jpg", "ISIC_2.jpg"])
    put_images(root / "HAM10000_images_part_2", ["ISIC_3.JPG", "ISIC_4.png"])
    put_table(
        root / "HAM10000_metadata.csv",
        [
            ("lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization"),
            ("HAM_1", "ISIC_3", "mel", "histo", "80.0", "male", "scalp"),
            ("HAM_1", "ISIC_1", "mel", "histo", "80.0", "male", "scalp"),
            ("HAM_2", "ISIC_2", "nv", "follow_up", "", "female", "back"),
            ("HAM_3", "ISIC_4", "akiec", "histo", "55.0", "male", "face"),
        ],
    )
    return root
