"""Asking an archive where its files are, how large they are and what their checksums are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from featkit.data.download._web import Web
from featkit.data.download.sets import ArchiveFile, Host, Publication
from featkit.errors import DataError

__all__ = ["Found", "find_files"]

_DATAVERSE = "https://dataverse.harvard.edu"
_ZENODO = "https://zenodo.org"

_CONVERTED = (".tab", ".csv", ".tsv")
"""Endings that the Dataverse may give to a table that was uploaded under another."""


@dataclass(frozen=True)
class Found:
    """Where a file is.

    Attributes:
        file: What it is.
        urls: Addresses that should have it, the best first.
        size: Bytes as the archive says, None where it doesn't.
        checksum: `ALGORITHM:digits` as published, "" = none is.
        renewed: The archive itself publishes another checksum than the one that was known.
    """

    file: ArchiveFile
    urls: tuple[str, ...]
    size: int | None = None
    checksum: str = ""
    renewed: bool = False


@dataclass(frozen=True)
class _Entry:
    """What an archive lists under a name."""

    url: str
    size: int | None
    checksum: str


def find_files(publication: Publication, files: Iterable[ArchiveFile], web: Web) -> list[Found]:
    """Return where the files are, in their order.

    pooch's own registry of a DOI does not serve here: for a table it pairs the address of the
    Dataverse's converted form with the checksum of the original, and it tells no sizes.

    Args:
        publication: Whose files they are.
        files: Those wanted.
        web: How the archive is reached.

    Raises:
        DataError: The archive does not answer, no longer has one of them, or, where that may not
            be, lists another checksum than the one that is known.
    """
    if publication.host is Host.WEB:
        folders = (publication.address, *publication.others)
        return [
            Found(
                file,
                tuple(web.address(f"{folder}/{file.name}") for folder in folders),
                checksum=file.checksum,
            )
            for file in files
        ]
    ask = _dataverse if publication.host is Host.DATAVERSE else _zenodo
    try:
        listing = ask(publication.address, web)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DataError(
            f"the list of files of doi:{publication.address} makes no sense",
            cause=f"{type(error).__name__}: {error}; the archive's interface may have changed",
            remedy="Try again with a newer featkit, or download by hand from the archive's page",
        ) from error
    return [_found(publication, file, listing, web) for file in files]


def _found(
    publication: Publication, file: ArchiveFile, listing: Mapping[str, _Entry], web: Web
) -> Found:
    endings = ("", *_CONVERTED) if file.tabular else ("",)
    entry = next((listing[name] for e in endings if (name := file.name + e) in listing), None)
    if entry is None:
        raise DataError(
            f"{publication.name}: {file.name} is not in the archive",
            cause=f"doi:{publication.address} lists {', '.join(sorted(listing)) or 'nothing'}",
            remedy="Look at the archive's page, or try again with a newer featkit",
        )
    # The Dataverse can give a DOI new files. A version on Zenodo can't change, and a mirror that
    # serves other files would list their checksums too: there, what is known binds.
    may_renew = publication.host is Host.DATAVERSE and not web.mirror
    renewed = _differ(file.checksum, entry.checksum)
    if renewed and not may_renew:
        raise DataError(
            f"{publication.name}: {file.name} is not the file that is known",
            cause=f"{web.mirror or 'Zenodo'} lists {entry.checksum}, and {file.checksum} was "
            "published",
            remedy="Nothing of it was downloaded. Try without the mirror, or a newer featkit",
        )
    stated = (entry.checksum, file.checksum) if may_renew else (file.checksum, entry.checksum)
    return Found(file, (entry.url,), entry.size, next(filter(None, stated), ""), renewed)


def _differ(known: str, listed: str) -> bool:
    """Say whether two checksums of one kind are of different contents."""
    same_kind = known.partition(":")[0] == listed.partition(":")[0]
    return bool(known and listed) and same_kind and known != listed


def _dataverse(doi: str, web: Web) -> dict[str, _Entry]:
    answer = web.json(f"{_DATAVERSE}/api/datasets/:persistentId?persistentId=doi:{doi}")
    listing = {}
    for each in answer["data"]["latestVersion"]["files"]:
        facts = each["dataFile"]
        # The checksum of a table is that of the original, which has to be asked for.
        original = "originalFileFormat" in facts
        url = web.address(f"{_DATAVERSE}/api/access/datafile/{int(facts['id'])}")
        listing[str(facts["filename"])] = _Entry(
            f"{url}?format=original" if original else url,
            _size(facts.get("originalFileSize" if original else "filesize")),
            _dataverse_checksum(facts),
        )
    return listing


def _dataverse_checksum(facts: Mapping[str, Any]) -> str:
    stated = facts.get("checksum") or {}
    kind, value = str(stated.get("type", "")), str(stated.get("value", ""))
    if facts.get("md5"):
        kind, value = "md5", str(facts["md5"])
    return f"{kind.replace('-', '').lower()}:{value}".lower() if value else ""


def _zenodo(doi: str, web: Web) -> dict[str, _Entry]:
    record = doi.rpartition("zenodo.")[2]
    listing = {}
    for facts in web.json(f"{_ZENODO}/api/records/{record}")["files"]:
        # Named `key` or `filename`, the checksum with or without its kind, as the years go.
        name = str(facts.get("key") or facts["filename"])
        checksum = str(facts.get("checksum") or "").lower()
        listing[name] = _Entry(
            web.address(f"{_ZENODO}/records/{record}/files/{quote(name)}?download=1"),
            _size(facts.get("size") or facts.get("filesize")),
            f"md5:{checksum}" if checksum and ":" not in checksum else checksum,
        )
    return listing


def _size(stated: object) -> int | None:
    return int(stated) if isinstance(stated, int | float | str) and int(stated) > 0 else None
