"""Is what was downloaded the data set that was published?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from featkit.data.check import DatasetCheck, check_dataset
from featkit.data.download._pairs import pairs_not_in
from featkit.data.download.sets import Part
from featkit.data.loading import load_dataset
from featkit.errors import DataError
from featkit.naming import counted
from featkit.progress import Progress

__all__ = ["PartCheck", "check_part"]


@dataclass(frozen=True)
class PartCheck:
    """What a part holds, and what is wrong with it.

    Attributes:
        part: Its name.
        data: What the command line takes as DATA, or the file of pairs.
        found: What `data check` finds; None for pairs, and where it can't be read.
        pairs: Number of pairs.
        problems: As sentences; none where it is what was published.
    """

    part: str
    data: str
    found: DatasetCheck | None = None
    pairs: int = 0
    problems: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {
            "part": self.part,
            "data": self.data,
            "pairs": self.pairs,
            "problems": list(self.problems),
            "check": None if self.found is None else self.found.to_dict(),
        }


def check_part(
    part: Part, folder: Path, *, workers: int | None = None, progress: Progress | None = None
) -> PartCheck:
    """Read every image of a part, as `data check` does, and compare with what was published.

    Args:
        part: What to check.
        folder: Where the data set is.
        workers: Threads.
        progress: Who listens.
    """
    if not part.data:
        return _check_pairs(part, folder)
    kind, _, path = part.data.partition(":")
    place = folder / path
    data = f"{kind}:{place}"
    try:
        dataset = load_dataset(data)
    except DataError as error:
        return PartCheck(part.name, data, problems=(str(error),))
    found = check_dataset(dataset, workers=workers, progress=progress)
    return PartCheck(part.name, data, found, problems=tuple(_problems(found, part.images)))


def _problems(found: DatasetCheck, published: int) -> list[str]:
    problems = []
    if found.images != published:
        problems.append(f"{counted(found.images, 'image')} where {published:,} are published")
    if found.missing:
        problems.append(f"{counted(len(found.missing), 'image')} of the table not there")
    if found.unreadable:
        problems.append(f"{counted(len(found.unreadable), 'image')} unreadable")
    return problems


def _check_pairs(part: Part, folder: Path) -> PartCheck:
    path = folder / part.files[0].place
    try:
        pairs, unknown = pairs_not_in(path)
    except DataError as error:
        return PartCheck(part.name, str(path), problems=(str(error),))
    problems = (
        (f"{counted(len(unknown), 'image')} not in HAM10000 beside it ({unknown[0]}, …)",)
        if unknown
        else ()
    )
    return PartCheck(part.name, str(path), pairs=pairs, problems=problems)
