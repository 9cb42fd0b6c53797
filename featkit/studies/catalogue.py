"""The bundled studies: five published systems, each rerun and then done properly."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["BundledStudy", "bundled_names", "bundled_path", "bundled_studies"]


@dataclass(frozen=True)
class BundledStudy:
    """What is shown of a bundled study.

    Attributes:
        name: What `featkit run` takes.
        about: The first sentence of its note.
        published: The numbers that the original published, in words.
        expects: The data that it is made for.
    """

    name: str
    about: str
    published: tuple[str, ...]
    expects: str


def bundled_names() -> list[str]:
    """Return the names of the bundled studies."""
    return sorted(path.stem for path in _folder().iterdir() if path.suffix == ".toml")


def bundled_path(name: str) -> Path:
    """Return the file of a bundled study."""
    return _folder() / f"{name}.toml"


def bundled_studies() -> list[BundledStudy]:
    """Return what is shown of each bundled study."""
    from featkit.studies.reading import load_study

    studies = [(name, load_study(name)) for name in bundled_names()]
    return [
        BundledStudy(
            name=name,
            about=study.note.strip().split(". ")[0].replace("\n", " ").rstrip(".") + ".",
            published=tuple(f"{row.what}: {row.metric} {row.value:g}" for row in study.published),
            expects=study.data.expects,
        )
        for name, study in studies
    ]


def _folder() -> Path:
    return Path(__file__).with_name("bundled")
