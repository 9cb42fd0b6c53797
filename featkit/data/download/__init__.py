"""Downloading published data sets: with checksums, resumed, licence accepted, safely unpacked."""

from __future__ import annotations

from featkit.data.download._checking import PartCheck
from featkit.data.download._web import Patience
from featkit.data.download.catalogue import PUBLICATIONS, find_publication
from featkit.data.download.downloading import (
    Download,
    DownloadedFile,
    download_dataset,
    find_request,
)
from featkit.data.download.licences import is_accepted
from featkit.data.download.sets import ArchiveFile, Host, Licence, Part, Publication

__all__ = [
    "PUBLICATIONS",
    "ArchiveFile",
    "Download",
    "DownloadedFile",
    "Host",
    "Licence",
    "Part",
    "PartCheck",
    "Patience",
    "Publication",
    "download_dataset",
    "find_publication",
    "find_request",
    "is_accepted",
]
