"""What a data set that can be downloaded consists of: its licence, its parts, their files."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from featkit.fingerprints import fingerprint

__all__ = ["ArchiveFile", "Host", "Licence", "Part", "Publication"]

_IMAGE_BYTES = 1_000_000
"""What an image takes on average, at most: those of HAM10000 and ISIC take a fourth to a half."""

_BESIDE = 64
"""Files of an archive besides its images: licence, attribution, folders."""

_TABLE_BYTES = 32_000_000
"""More than any of the archives of tables holds."""


class Host(StrEnum):
    """Who serves the files, and so how their addresses and checksums are found."""

    DATAVERSE = "dataverse"
    ZENODO = "zenodo"
    WEB = "web"


@dataclass(frozen=True)
class Licence:
    """What a user agrees to.

    Attributes:
        name: As it is known, `CC BY-NC 4.0`.
        terms: What it asks, in a sentence.
        url: Its text.
        citation: What has to be cited.
    """

    name: str
    terms: str
    url: str
    citation: tuple[str, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 over all of it: another text is to be accepted anew."""
        return fingerprint(self.name, self.terms, self.url, list(self.citation))

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "name": self.name,
            "terms": self.terms,
            "url": self.url,
            "citation": list(self.citation),
        }


@dataclass(frozen=True)
class ArchiveFile:
    """One file of an archive.

    Attributes:
        name: Its name there, without ending where the archive may convert it (`tabular`).
        place: Where it goes below the data set's folder: a folder for a .zip, else a file.
        size: Bytes as its publisher says (often rounded), None where it doesn't say.
        checksum: `md5:…` as published outside the archive's own interface, "" = none is.
        images: Images in it, as published; 0 for tables.
        tabular: The archive offers a converted form of it, and the original on request.
        pairs: It is a list of duplicates, to be rewritten as `--duplicates` takes it.
    """

    name: str
    place: str
    size: int | None = None
    checksum: str = ""
    images: int = 0
    tabular: bool = False
    pairs: bool = False

    @property
    def packed(self) -> bool:
        """Whether it is to be unpacked."""
        return self.name.endswith(".zip")

    @property
    def most_files(self) -> int:
        """Files that its archive may hold."""
        return self.images + _BESIDE

    @property
    def most_bytes(self) -> int:
        """Bytes that its archive may hold when unpacked."""
        return max(_TABLE_BYTES, self.images * _IMAGE_BYTES)


@dataclass(frozen=True)
class Part:
    """A part of a data set that can be had, read and checked on its own.

    Attributes:
        name: As `--part` takes it.
        files: What it consists of.
        data: What the command line takes as DATA, below the folder: `KIND:PATH`, "" = the part is
            no data set.
        images: How many images are published.
    """

    name: str
    files: tuple[ArchiveFile, ...]
    data: str
    images: int

    @property
    def size(self) -> int | None:
        """Bytes to download; None where a file of images does not say."""
        if any(file.size is None and file.images for file in self.files):
            return None
        return sum(file.size or 0 for file in self.files)


@dataclass(frozen=True)
class Publication:
    """A data set that can be downloaded.

    Attributes:
        name: As the command line knows it.
        title: For people.
        host: Who serves it.
        address: DOI for Dataverse and Zenodo; else the address of the folder that holds the files.
        licence: What is to be accepted.
        parts: What it consists of; the first is what is downloaded unless others are asked for.
        others: Further addresses that have the same files.
        beside: Names of publications that may lie in the same folder.
    """

    name: str
    title: str
    host: Host
    address: str
    licence: Licence
    parts: tuple[Part, ...]
    others: tuple[str, ...] = field(default=())
    beside: tuple[str, ...] = field(default=())

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "name": self.name,
            "title": self.title,
            "host": self.host.value,
            "address": self.address,
            "licence": self.licence.to_dict(),
            "parts": [
                {
                    "name": part.name,
                    "images": part.images,
                    "bytes": part.size,
                    "files": [file.name for file in part.files],
                }
                for part in self.parts
            ],
        }
