"""What a reader of data sets is: one layout on disk, recognised and read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

from featkit.data.dataset import Dataset
from featkit.data.places import Place
from featkit.errors import UsageError

__all__ = ["CsvColumns", "Reader", "ReaderOptions"]


@dataclass(frozen=True)
class CsvColumns:
    """Which columns of a table mean what.

    Attributes:
        image: Path of the image, with or without its extension.
        label: Name of the class; an empty cell means no label. None = no image has one.
        group: What must stay together (lesion, patient). None = the column group, patient_id or
            lesion_id where there is one, else every image for itself.
        id: Distinct id of the image. None = the image column as it stands.
        split: Official split (train, val, test).
        root: Folder that the image paths start from. None = the table's folder.
    """

    image: str
    label: str | None
    group: str | None = None
    id: str | None = None
    split: str | None = None
    root: str | Path | None = None

    @classmethod
    def stated(
        cls,
        *,
        image: str | None,
        label: str | None,
        group: str | None,
        id: str | None,
        split: str | None,
        root: str | Path | None,
    ) -> CsvColumns | None:
        """Return the columns that somebody named; None where none was.

        Raises:
            UsageError: Some were, but not those of images and labels.
        """
        if image and label:
            return cls(image, label, group, id, split, root)
        if any((image, label, group, id, split, root)):
            raise UsageError(
                "the columns of the table are not clear",
                cause="image_column and label_column are needed beside the other columns",
                remedy="Give both (--image-column and --label-column on the command line)",
            )
        return None


@dataclass(frozen=True)
class ReaderOptions:
    """What a reader may be told besides the path; None = find out.

    Attributes:
        columns: For `csv`: which columns mean what.
        lesions: For `isic`: a CSV with columns `image` and `lesion_id`.
    """

    columns: CsvColumns | None = None
    lesions: str | Path | None = None


@runtime_checkable
class Reader(Protocol):
    """Reads one layout of data set; made without arguments, and without state.

    A distribution adds one as an entry point of the group `featkit.readers` that has the kind's
    name and leads to the class.
    """

    @property
    def kind(self) -> str:
        """The word before the colon in `KIND:PATH`."""

    @property
    def looks_for(self) -> str:
        """What the layout consists of, as a phrase for error messages and help."""

    @property
    def needs_path(self) -> bool:
        """False where KIND alone is a data set."""

    @property
    def options(self) -> frozenset[str]:
        """Names of the fields of ReaderOptions that this reader understands."""

    def recognises(self, path: Place) -> bool:
        """Say, by names and headers alone, whether the existing path has this layout."""

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset.

        Args:
            target: What stands after `KIND:`, a path for all readers that need one.
            options: Only fields named in `self.options` differ from None.

        Raises:
            DataError: The layout is incomplete or contradicts itself.
            UsageError: The target cannot be understood.
        """
