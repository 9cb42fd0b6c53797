"""What a tar shard holds and where in it: found by a walk over its headers, once, and kept."""

from __future__ import annotations

import gzip
import hashlib
import json
import tarfile
from contextlib import suppress
from dataclasses import asdict, dataclass

from featkit.data.places import Place
from featkit.data.readers._files import is_image_name
from featkit.errors import DataError, StoreError
from featkit.files import atomic_path, cache_folder

__all__ = ["ShardIndex", "index_shard"]

_VERSION = 1
"""Raised when an index has other contents."""

_MOST_TEXT = 1 << 20
"""Bytes of a label or of metadata; a longer member is neither."""


@dataclass(frozen=True)
class ShardIndex:
    """The samples of a shard in their order: members that share a key.

    Attributes:
        key: The members' path without ending, of each sample.
        offset: First byte of the image file in the shard; -1 for a sample without an image.
        size: Of the image file, in bytes.
        columns: Content of `KEY.cls` as column `cls`, and the single values in `KEY.json`, as text
            for each sample, "" = missing.
    """

    key: list[str]
    offset: list[int]
    size: list[int]
    columns: dict[str, list[str]]


def index_shard(shard: Place, token: str) -> ShardIndex:
    """Return the index of a shard, from the user's cache where it was made before.

    Args:
        shard: The tar file.
        token: Changes when the shard does; "" where unknown, and then nothing is kept.

    Raises:
        DataError: It is no tar file, compressed, truncated, or a sample cannot be understood.
        OSError: It cannot be read.
    """
    if not token:
        return _walk(shard)
    kept = cache_folder() / "shards" / f"{_digest(shard, token)}.json.gz"
    with suppress(OSError, ValueError, TypeError, EOFError):
        return ShardIndex(**json.loads(gzip.decompress(kept.read_bytes())))
    index = _walk(shard)
    # One that cannot be kept is made anew: no reason to refuse the data.
    with suppress(OSError, StoreError), atomic_path(kept) as work:
        work.write_bytes(gzip.compress(json.dumps(asdict(index)).encode(), 6))
    return index


def _digest(shard: Place, token: str) -> str:
    return hashlib.sha256(f"{_VERSION}:{shard.resolve()}:{token}".encode()).hexdigest()


def _walk(shard: Place) -> ShardIndex:
    samples: dict[str, _Sample] = {}
    try:
        with shard.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            for member in archive:
                key, ending = _split(member.name)
                if member.isreg() and key and ending:
                    sample = samples.setdefault(key, _Sample(key, {}, {}))
                    sample.add(member, ending, archive)
            # The library takes any damaged header behind the first for the end.
            file.seek(archive.offset)
            if file.read(tarfile.BLOCKSIZE).strip(b"\0"):
                raise _damaged(shard, f"a header is damaged, behind {len(samples)} samples")
        index = _columns(list(samples.values()))
    except tarfile.TarError as error:
        raise _damaged(shard, f"it is compressed, truncated or no tar file ({error})") from None
    except ValueError as error:
        raise _damaged(shard, str(error)) from None
    return index


@dataclass
class _Sample:
    """A sample whose members are being found.

    Attributes:
        key: Of all members.
        images: Offset and size of its image files, by ending.
        facts: Its label and metadata.
    """

    key: str
    images: dict[str, tuple[int, int]]
    facts: dict[str, str]

    def add(self, member: tarfile.TarInfo, ending: str, archive: tarfile.TarFile) -> None:
        """Enter a member.

        Raises:
            ValueError: A label or metadata cannot be understood.
        """
        if is_image_name(f"_.{ending}"):
            self.images[ending] = (member.offset_data, member.size)
        elif ending in {"cls", "json"} and member.size <= _MOST_TEXT:
            handle = archive.extractfile(member)
            text = handle.read() if handle else b""
            try:
                if ending == "cls":
                    self.facts["cls"] = text.decode().strip()
                else:
                    self.facts = {**_values(json.loads(text)), **self.facts}
            except ValueError as error:
                raise ValueError(f"{member.name} cannot be understood ({error})") from None

    def image(self) -> tuple[int, int]:
        """Return offset and size of the image: `KEY.jpg` before `KEY.mask.png`.

        Raises:
            ValueError: Several could be meant.
        """
        plain = [ending for ending in self.images if "." not in ending] or list(self.images)
        if len(plain) > 1:
            raise ValueError(f"sample {self.key} has several images ({', '.join(plain)})")
        return self.images[plain[0]] if plain else (-1, 0)


def _split(name: str) -> tuple[str, str]:
    """Return a member's key and ending: the file's name is cut at its first dot."""
    folder, slash, file = name.removeprefix("./").rpartition("/")
    stem, _, ending = file.partition(".")
    return (f"{folder}{slash}{stem}" if stem else ""), ending.lower()


def _values(content: object) -> dict[str, str]:
    """Return the single values of a JSON object as text."""
    if not isinstance(content, dict):
        raise ValueError("it is no object")
    return {
        str(name): "" if value is None else str(value)
        for name, value in content.items()
        if not isinstance(value, dict | list)
    }


def _columns(samples: list[_Sample]) -> ShardIndex:
    samples = [sample for sample in samples if sample.images or sample.facts]
    places = [sample.image() for sample in samples]
    names = sorted({name for sample in samples for name in sample.facts})
    return ShardIndex(
        key=[sample.key for sample in samples],
        offset=[offset for offset, _ in places],
        size=[size for _, size in places],
        columns={name: [sample.facts.get(name, "") for sample in samples] for name in names},
    )


def _damaged(shard: Place, cause: str) -> DataError:
    return DataError(
        f"cannot read the shard {shard}",
        cause=cause,
        remedy="Store shards as plain tar files, and copy or make this one again",
    )
