"""HAM10000 as Kaggle ships it, or as unpacked from the Harvard Dataverse.

Source: Tschandl, Rosendahl, Kittler, "The HAM10000 dataset", Sci. Data 5, 180161 (2018).
"""

from __future__ import annotations

from featkit.data.dataset import Dataset
from featkit.data.places import Place, as_place
from featkit.data.reader import ReaderOptions
from featkit.data.readers._columns import distinct_ids, encode_labels, groups_or_ids
from featkit.data.readers._files import image_folders, is_image_folder, match_files, subfolders
from featkit.data.readers._tables import Table, read_header, read_table
from featkit.errors import DataError

__all__ = ["HAM10000_CLASSES", "Ham10000Reader", "find_metadata", "read_metadata"]

HAM10000_CLASSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
"""The seven diagnoses, in the order of their labels."""

_COLUMNS = ("lesion_id", "image_id", "dx")
_NAMES = tuple(f"ham10000_metadata{suffix}" for suffix in (".csv", ".tab", ".tsv", ".txt", ""))


class Ham10000Reader:
    """A table of lesions beside one or more folders of images.

    The table itself may be given instead of its folder, for those that share the format under
    another name (the Dataverse's `ISIC2018_Task3_Test_GroundTruth`).
    """

    kind = "ham10000"
    looks_for = (
        "a folder with HAM10000_metadata (.csv, .tab or no ending) beside HAM10000_images_part_1 "
        "and _2, or such a table"
    )
    needs_path = True
    options: frozenset[str] = frozenset()

    def recognises(self, path: Place) -> bool:
        """Say whether the path is, or holds, HAM10000's table or its folders of images."""
        if path.is_file():
            return set(_COLUMNS) <= set(read_header(path))
        return find_metadata(path) is not None or any(
            is_image_folder(folder) and folder.name.lower().startswith("ham10000")
            for folder in subfolders(path)
        )

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset with groups from `lesion_id`.

        Raises:
            DataError: No table, no images, a column missing, an unknown diagnosis.
        """
        path = as_place(target)
        metadata = path if path.is_file() else find_metadata(path)
        if metadata is None:
            raise DataError(
                f"{path} holds no HAM10000 metadata",
                cause="looked for HAM10000_metadata.csv, .tab, .tsv, .txt and without ending",
                remedy="Put the table beside the folders of images",
            )
        root = metadata.parent
        table = read_metadata(metadata)
        image_id = distinct_ids(table["image_id"], where=metadata)
        folders = image_folders(root, beside=metadata.name)
        images, unlisted = match_files(image_id.tolist(), folders, root=root, table=metadata.name)
        return Dataset(
            name=f"{self.kind}:{path.resolve().name}",
            images=images,
            image_id=image_id,
            label=encode_labels(table["dx"], HAM10000_CLASSES, image_id=image_id, where=metadata),
            group=groups_or_ids(table["lesion_id"], image_id),
            classes=HAM10000_CLASSES,
            metadata=table.others(*_COLUMNS),
            unlisted=unlisted,
        )


def find_metadata(folder: Place) -> Place | None:
    """Return the folder's HAM10000 table, the comma-separated one where there are several."""
    files = {entry.name.lower(): entry for entry in folder.iterdir()}
    found = [files[name] for name in _NAMES if name in files and files[name].is_file()]
    return found[0] if found else None


def read_metadata(path: Place) -> Table:
    """Return the table with its obligatory columns checked.

    Raises:
        DataError: The table cannot be read or lacks a column.
    """
    table = read_table(path)
    for name in _COLUMNS:
        table[name]
    return table
