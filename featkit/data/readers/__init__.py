"""One reader for each layout of data set."""

from __future__ import annotations

from featkit.data.reader import Reader
from featkit.data.readers.folder import FolderReader
from featkit.data.readers.ham10000 import HAM10000_CLASSES, Ham10000Reader
from featkit.data.readers.hmnist import HmnistReader
from featkit.data.readers.isic import IsicReader
from featkit.data.readers.medmnist import MedmnistReader
from featkit.data.readers.table import CsvReader
from featkit.data.readers.webdataset import WebdatasetReader
from featkit.data.synthetic import SYNTHETIC

__all__ = ["HAM10000_CLASSES", "READERS"]

READERS: tuple[Reader, ...] = (
    Ham10000Reader(),
    IsicReader(),
    FolderReader(),
    CsvReader(),
    HmnistReader(),
    MedmnistReader(),
    WebdatasetReader(),
    SYNTHETIC,
)
"""All readers, in the order in which help and errors list them."""
