"""The data sets that can be downloaded, with what their publishers say of them.

Where a size or checksum is missing, the publisher gives none, or the archive's own interface is
asked at the time of the download.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from featkit.data.download.sets import ArchiveFile, Host, Licence, Part, Publication
from featkit.errors import UsageError

__all__ = ["PUBLICATIONS", "find_parts", "find_publication"]

_NON_COMMERCIAL = "Use and share it with attribution, for purposes that are not commercial."
_BY_NC = "https://creativecommons.org/licenses/by-nc/4.0/"
_BY_NC_NAME = "CC BY-NC 4.0"

_HAM_PAPER = (
    "Tschandl, Rosendahl, Kittler: The HAM10000 dataset, a large collection of multi-source "
    "dermatoscopic images of common pigmented skin lesions. Sci. Data 5, 180161 (2018). "
    "https://doi.org/10.1038/sdata.2018.161"
)
_ISIC_2018_PAPER = (
    "Codella et al.: Skin Lesion Analysis Toward Melanoma Detection 2018: A Challenge Hosted by "
    "the International Skin Imaging Collaboration (ISIC). https://arxiv.org/abs/1902.03368"
)
_ISIC_2017_PAPER = (
    "Codella et al.: Skin Lesion Analysis Toward Melanoma Detection: A Challenge at the 2017 "
    "International Symposium on Biomedical Imaging (ISBI). https://arxiv.org/abs/1710.05006"
)
_BCN_PAPER = (
    "Hernández-Pérez et al.: BCN20000: Dermoscopic lesions in the wild. Sci. Data 11, 641 (2024)."
)
_MEDMNIST_PAPER = (
    "Yang et al.: MedMNIST v2 - A large-scale lightweight benchmark for 2D and 3D biomedical image "
    "classification. Sci. Data 10, 41 (2023)."
)
_DUPLICATES_PAPER = (
    "Abhishek, Jain, Hamarneh: Investigating the Quality of DermaMNIST and Fitzpatrick17k "
    "Dermatological Image Datasets. https://arxiv.org/abs/2401.14497, "
    "https://doi.org/10.5281/zenodo.11101337"
)


def _non_commercial(*citation: str) -> Licence:
    return Licence(_BY_NC_NAME, _NON_COMMERCIAL, _BY_NC, citation)


# Counts of images: the Dataverse's description of the data set. Sizes and MD5 of version 4.0 as
# its users wrote them down; those that the Dataverse tells at the time of the download are what
# counts.
_HAM10000 = Publication(
    name="ham10000",
    title="HAM10000: dermatoscopic images of pigmented skin lesions, by lesion",
    host=Host.DATAVERSE,
    address="10.7910/DVN/DBW86T",
    beside=("ham10000-duplicates",),
    licence=_non_commercial(_HAM_PAPER),
    parts=(
        Part(
            "images",
            (
                ArchiveFile(
                    "HAM10000_metadata",
                    "HAM10000_metadata.csv",
                    size=690_218,
                    checksum="md5:8f85fb1aa29d80a2797247e434deb79d",
                    tabular=True,
                ),
                ArchiveFile(
                    "HAM10000_images_part_1.zip",
                    "HAM10000_images_part_1",
                    size=1_366_522_108,
                    checksum="md5:4639bfa73ab251610530a97c898e6e46",
                    images=5000,
                ),
                ArchiveFile(
                    "HAM10000_images_part_2.zip",
                    "HAM10000_images_part_2",
                    size=1_403_566_547,
                    checksum="md5:da43d6cc50f6613013be07e8986b384b",
                    images=5015,
                ),
            ),
            data="ham10000:",
            images=10_015,
        ),
        Part(
            "test",
            (
                ArchiveFile(
                    "ISIC2018_Task3_Test_GroundTruth",
                    "test/ISIC2018_Task3_Test_GroundTruth.csv",
                    tabular=True,
                ),
                ArchiveFile(
                    "ISIC2018_Task3_Test_Images.zip",
                    "test/ISIC2018_Task3_Test_Images",
                    images=1511,
                ),
            ),
            data="ham10000:test/ISIC2018_Task3_Test_GroundTruth.csv",
            images=1511,
        ),
    ),
)


def _isic_2018(part: str, images: int, size: int, truth_size: int, *, lesions: int = 0) -> Part:
    """Return a part of 2018: images, one-hot table and, of the training images, the lesions."""
    folder, stem = part.lower(), f"ISIC2018_Task3_{part}"
    groupings = f"{stem}_LesionGroupings.csv"
    return Part(
        folder,
        (
            ArchiveFile(f"{stem}_GroundTruth.zip", f"{folder}/{stem}_GroundTruth", size=truth_size),
            *([ArchiveFile(groupings, f"{folder}/{groupings}", size=lesions)] if lesions else []),
            ArchiveFile(f"{stem}_Input.zip", f"{folder}/{stem}_Input", size=size, images=images),
        ),
        data=f"isic:{folder}",
        images=images,
    )


def _isic_2019(part: str, images: int, size: int, truth_size: int, metadata_size: int) -> Part:
    """Return a part of 2019: images, one-hot table and what is known of the patients."""
    folder, stem = part.lower(), f"ISIC_2019_{part}"
    tables = {f"{stem}_GroundTruth.csv": truth_size, f"{stem}_Metadata.csv": metadata_size}
    return Part(
        folder,
        (
            *(
                ArchiveFile(name, f"{folder}/{name}", size=bytes_)
                for name, bytes_ in tables.items()
            ),
            ArchiveFile(f"{stem}_Input.zip", f"{folder}/{stem}_Input", size=size, images=images),
        ),
        data=f"isic:{folder}",
        images=images,
    )


# Addresses, rounded sizes, counts, licence and citations: the source of the page
# https://challenge.isic-archive.com/data/ (ImageMarkup/stade, core/templates/data). It gives no
# checksums, and no count of the validation images: 193 is the number of rows of their table.
_ISIC_2018 = Publication(
    name="isic2018",
    title="ISIC 2018, task 3: seven diagnoses, the training images by lesion",
    host=Host.WEB,
    address="https://isic-challenge-data.s3.amazonaws.com/2018",
    others=("https://isic-archive.s3.amazonaws.com/challenges/2018",),
    licence=_non_commercial(
        "HAM10000 Dataset: (c) by ViDIR Group, Department of Dermatology, Medical University of "
        "Vienna; MSK Dataset: (c) Anonymous.",
        _ISIC_2018_PAPER,
        _HAM_PAPER,
    ),
    parts=(
        _isic_2018("Training", 10_015, 2_600_000_000, 36_000, lesions=481_000),
        _isic_2018("Validation", 193, 51_000_000, 7_000),
        _isic_2018("Test", 1512, 401_000_000, 16_000),
    ),
)

_ISIC_2019 = Publication(
    name="isic2019",
    title="ISIC 2019: eight diagnoses and, in the test images, unknown ones; by lesion",
    host=Host.WEB,
    address="https://isic-challenge-data.s3.amazonaws.com/2019",
    others=("https://isic-archive.s3.amazonaws.com/challenges/2019",),
    licence=_non_commercial(
        "BCN_20000 Dataset: (c) Department of Dermatology, Hospital Clínic de Barcelona; HAM10000 "
        "Dataset: (c) by ViDIR Group, Department of Dermatology, Medical University of Vienna; "
        "MSK Dataset: (c) Anonymous.",
        _HAM_PAPER,
        _ISIC_2017_PAPER,
        _BCN_PAPER,
    ),
    parts=(
        _isic_2019("Training", 25_331, 9_100_000_000, 1_230_000, 1_150_000),
        _isic_2019("Test", 8238, 3_600_000_000, 454_000, 287_000),
    ),
)

# The file of 18 pairs in the repository of the paper, at the revision that added it. The
# repository's licence covers it; the paper's data sets on Zenodo are under CC BY-NC 4.0.
_DUPLICATES = Publication(
    name="ham10000-duplicates",
    title="HAM10000's corrected duplicates: pairs of images of one lesion under two ids",
    host=Host.WEB,
    address="https://raw.githubusercontent.com/kakumarabhishek/Corrected-Skin-Image-Datasets/"
    "df006b58421f9f2bb3265c2ca644d2e5d1a91b24/DermaMNIST/HAM10000_DuplicateConfirmation/"
    "AnalysesOutputFiles",
    licence=Licence(
        "Apache-2.0",
        "Use, change and share it for any purpose, with its notices.",
        "https://www.apache.org/licenses/LICENSE-2.0",
        (_DUPLICATES_PAPER, _HAM_PAPER),
    ),
    parts=(
        Part(
            "pairs",
            (
                ArchiveFile(
                    "newly_discovered_duplicates.csv",
                    "ham10000_duplicates.csv",
                    size=798,
                    pairs=True,
                ),
            ),
            data="",
            images=0,
        ),
    ),
    beside=("ham10000",),
)


def _dermamnist(side: int, checksum: str, size: int | None) -> Part:
    name = "dermamnist.npz" if side == 28 else f"dermamnist_{side}.npz"
    file = ArchiveFile(name, name, size=size, checksum=f"md5:{checksum}", images=10_015)
    return Part(str(side), (file,), data=f"medmnist:{name}", images=10_015)


# Checksums, licence and counts: the package medmnist (info.py). Sizes: users of Zenodo's record.
_DERMAMNIST = Publication(
    name="dermamnist",
    title="DermaMNIST: HAM10000 in 28, 64, 128 or 224 pixels; lesions are not named",
    host=Host.ZENODO,
    address="10.5281/zenodo.10519652",
    licence=_non_commercial(_MEDMNIST_PAPER, _HAM_PAPER),
    parts=(
        _dermamnist(28, "0744692d530f8e62ec473284d019b0c7", 19_700_000),
        _dermamnist(64, "b70a2f5635c6199aeaa28c31d7202e1f", 100_100_000),
        _dermamnist(128, "2defd784463fa5243564e855ed717de1", None),
        _dermamnist(224, "8974907d8e169bef5f5b96bc506ae45d", 1_000_000_000),
    ),
)

PUBLICATIONS: Mapping[str, Publication] = MappingProxyType(
    {each.name: each for each in (_HAM10000, _ISIC_2018, _ISIC_2019, _DUPLICATES, _DERMAMNIST)}
)
"""By the name that the command line takes."""


def find_publication(name: str) -> Publication:
    """Return the data set of this name.

    Raises:
        UsageError: There is none.
    """
    if name not in PUBLICATIONS:
        raise UsageError(
            f"data set {name!r} is not one that can be downloaded",
            cause=f"those that can are {', '.join(PUBLICATIONS)}",
            remedy="Choose one of them (`featkit data download --list` says what they are)",
        )
    return PUBLICATIONS[name]


def find_parts(publication: Publication, names: tuple[str, ...]) -> tuple[Part, ...]:
    """Return the parts of these names, the first without any, all for `all`.

    Raises:
        UsageError: There is no such part.
    """
    if "all" in names:
        return publication.parts
    known = {part.name: part for part in publication.parts}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise UsageError(
            f"{publication.name} has no part {unknown[0]!r}",
            cause=f"its parts are {', '.join(known)}",
            remedy="Name one of them, or all",
        )
    return tuple(known[name] for name in dict.fromkeys(names)) or publication.parts[:1]
