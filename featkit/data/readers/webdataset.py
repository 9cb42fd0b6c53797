"""WebDataset: tar shards whose members share a key, as KEY.jpg, KEY.cls and KEY.json.

Source: https://github.com/webdataset/webdataset
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from featkit.data.dataset import Dataset
from featkit.data.places import CONCURRENT_READS, Place, RemotePath, as_place, expand_braces
from featkit.data.reader import ReaderOptions
from featkit.data.readers._columns import (
    distinct_ids,
    encode_labels,
    groups_or_ids,
    official_split,
    sorted_classes,
)
from featkit.data.readers._files import shard_files, subfolders, tables
from featkit.data.readers._shard_index import ShardIndex, index_shard
from featkit.data.shards import ShardImages
from featkit.errors import DataError

__all__ = ["WebdatasetReader"]

_LABEL = ("cls", "label", "class", "target", "dx", "diagnosis", "category")
_GROUP = ("group", "patient_id", "lesion_id")
_ID = ("id", "image_id")
_SPLIT = "split"


class WebdatasetReader:
    """Tar shards. A sample's label, group, id and split come from KEY.cls or KEY.json.

    A sample without label has none, one without group is a group of its own, and ids are the keys
    where no column is called so.
    """

    kind = "webdataset"
    looks_for = (
        "a folder with nothing but .tar shards of KEY.jpg with KEY.cls or KEY.json, one such "
        "shard, or a pattern as shard-{000..127}.tar"
    )
    needs_path = True
    options: frozenset[str] = frozenset()

    def recognises(self, path: Place) -> bool:
        """Say whether the path is a tar file, or a folder that holds nothing visible but such."""
        if path.is_file():
            return path.suffix.lower() == ".tar"
        return bool(shard_files(path)) and not (subfolders(path) or tables(path))

    def read(self, target: str | Place, options: ReaderOptions) -> Dataset:
        """Return the Dataset, in the order of shards and of samples in each.

        Raises:
            DataError: No shards, one that cannot be read, or contents that contradict themselves.
        """
        shards = _shards(target)
        parallel = CONCURRENT_READS // 2 if isinstance(shards[0], RemotePath) else None
        with ThreadPoolExecutor(parallel) as pool:
            tokens = list(pool.map(_token, shards))
            indices = list(pool.map(index_shard, shards, tokens))
        columns = _joined(indices)
        samples = [len(index.key) for index in indices]
        if not sum(samples):
            raise DataError(
                f"{target} holds no samples",
                cause="the shards have no members KEY.jpg (.png, ...), KEY.cls or KEY.json",
                remedy="Give shards of images, or the right folder",
            )
        label, group, own_id = (_first(names, columns) for names in (_LABEL, _GROUP, _ID))
        image_id = distinct_ids(
            columns[own_id] if own_id else _keys(shards, indices), where=str(target)
        )
        labels = columns[label] if label else np.full(len(image_id), "")
        classes = sorted_classes(labels)
        code = encode_labels(labels, (*classes, ""), image_id=image_id, where=str(target))
        return Dataset(
            name=f"{self.kind}:{_name(target)}",
            images=ShardImages(
                [str(shard) for shard in shards],
                tokens=tokens,
                shard=np.repeat(np.arange(len(shards), dtype=np.int32), samples),
                offset=np.array([at for index in indices for at in index.offset], dtype=np.int64),
                size=np.array([size for index in indices for size in index.size], dtype=np.int64),
            ),
            image_id=image_id,
            label=np.where(labels == "", np.int16(-1), code),
            group=groups_or_ids(columns[group], image_id) if group else image_id,
            classes=classes,
            metadata={
                name: values
                for name, values in columns.items()
                if name not in (label, group, own_id, _SPLIT)
            },
            split=official_split(columns[_SPLIT], where=str(target)) if _SPLIT in columns else None,
        )


def _shards(target: str | Place) -> list[Place]:
    """Return the tar files of a folder, of a pattern, or the one that is given."""
    place = as_place(target)
    if not place.exists():
        return [as_place(path) for path in expand_braces(str(target))]
    if place.is_file():
        return [place]
    shards = shard_files(place)
    if not shards:
        raise DataError(
            f"{place} holds no shards",
            cause="looked for files with the ending .tar",
            remedy="Give the folder that holds them, or a pattern as shard-{000..127}.tar",
        )
    return shards


def _token(shard: Place) -> str:
    """Return what changes when the shard does."""
    if isinstance(shard, RemotePath):
        return shard.entry().token
    facts = shard.stat()
    return f"{facts.st_size}-{facts.st_mtime_ns}"


def _joined(indices: Sequence[ShardIndex]) -> dict[str, NDArray[np.str_]]:
    """Return the columns of all shards, "" where a shard has no such column."""
    names = sorted({name for index in indices for name in index.columns})
    return {
        name: np.array(
            [value for index in indices for value in index.columns.get(name, [""] * len(index.key))]
        )
        for name in names
    }


def _keys(shards: Sequence[Place], indices: Sequence[ShardIndex]) -> NDArray[np.str_]:
    """Return the samples' keys, each after its shard's name where shards count anew."""
    keys = [key for index in indices for key in index.key]
    if len(set(keys)) == len(keys):
        return np.array(keys)
    return np.array(
        [
            f"{shard.stem}/{key}"
            for shard, index in zip(shards, indices, strict=True)
            for key in index.key
        ]
    )


def _first(candidates: Sequence[str], columns: Mapping[str, object]) -> str | None:
    return next((name for name in candidates if name in columns), None)


def _name(target: str | Place) -> str:
    return as_place(target).resolve().name
