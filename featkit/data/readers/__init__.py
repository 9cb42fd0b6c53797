"""One reader for each layout of data set, by its kind."""

from __future__ import annotations

from typing import Any

from featkit.data.reader import Reader
from featkit.data.readers.ham10000 import HAM10000_CLASSES
from featkit.plugins import Registry

__all__ = ["HAM10000_CLASSES", "READERS"]


def _reader(name: str, kind: Any) -> Reader:
    reader = kind()
    if not isinstance(reader, Reader) or reader.kind != name:
        raise TypeError(f"it is no reader of the kind {name}")
    return reader


READERS: Registry[Reader] = Registry(
    "featkit.readers",
    "kind of data set",
    {
        "ham10000": "featkit.data.readers.ham10000:Ham10000Reader",
        "isic": "featkit.data.readers.isic:IsicReader",
        "folder": "featkit.data.readers.folder:FolderReader",
        "csv": "featkit.data.readers.table:CsvReader",
        "hmnist": "featkit.data.readers.hmnist:HmnistReader",
        "medmnist": "featkit.data.readers.medmnist:MedmnistReader",
        "webdataset": "featkit.data.readers.webdataset:WebdatasetReader",
        "synthetic": "featkit.data.synthetic:SyntheticReader",
    },
    _reader,
)
"""Every reader by its kind, in the order in which errors list them."""
