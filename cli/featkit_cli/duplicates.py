"""`featkit data check --duplicates`: finding lesions under two ids, and showing the pairs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from featkit.errors import UsageError
from featkit.naming import counted
from featkit_cli import console

if TYPE_CHECKING:
    from featkit.data import Dataset
    from featkit.duplicates import DuplicatePair, Duplicates
    from featkit.progress import Progress

__all__ = ["check_options", "find_across", "show_across"]


@dataclass(frozen=True)
class Across:
    """What was found, and the file that it was written to."""

    found: Duplicates
    path: Path

    def to_dict(self) -> dict[str, object]:
        """Return JSON-like values."""
        return {**self.found.to_dict(), "file": str(self.path)}


def check_options(given: Mapping[str, object], duplicates: bool) -> None:
    """Refuse --duplicates without a backbone, and its options without it.

    Raises:
        UsageError: Something is missing or superfluous.
    """
    if duplicates and given["backbone"] is None:
        raise UsageError(
            "--duplicates needs a --backbone",
            cause="its features choose the candidates, and which is at hand is yours to know",
            remedy="Give a pretrained one, such as --backbone timm:mobilenetv2_100.ra_in1k "
            "--image-size 128; featkit:tiny needs no download and misses many pairs",
        )
    for name, value in given.items():
        if value is not None and not duplicates:
            raise UsageError(
                f"--{name.replace('_', '-')}",
                cause="it is an option of --duplicates, which is not given",
                remedy="Add --duplicates, or leave it out",
            )


def find_across(
    dataset: Dataset, given: Mapping[str, Any], workers: int | None, progress: Progress
) -> Across:
    """Find the pairs and write them to their file.

    Args:
        dataset: The images.
        given: The options by name, None = default.
        workers: Threads.
        progress: Who listens.
    """
    from featkit.backbones import load_backbone
    from featkit.duplicates import NEIGHBOURS, find_duplicates, write_pairs

    network = load_backbone(given["backbone"], image_size=given["image_size"])
    found = find_duplicates(
        dataset,
        network,
        neighbours=given["neighbours"] or NEIGHBOURS,
        device=given["device"] or "auto",
        workers=workers,
        progress=progress,
    )
    path = given["out"] or _default_path(dataset.name)
    write_pairs(path, found.pairs)
    return Across(found, path)


def show_across(across: Across) -> None:
    """Show the confirmed pairs, and what to do with them."""
    found, confirmed = across.found, across.found.confirmed
    candidates = f"{len(found.pairs):,} candidates by {found.backbone}"
    if not confirmed:
        console.say(f"No lesion was found under two ids among {candidates}.")
    else:
        pairs = counted(len(confirmed), "pair")
        console.show_table(
            [_row(pair) for pair in confirmed],
            title=f"One lesion under two ids: {pairs} of images",
            caption=f"Confirmed of {candidates}. Look at them: where you disagree, write no into "
            "the column confirmed of the file.",
            left=["images", "lesions", "labels"],
        )
    relabelled = sum(pair.relabelled for pair in confirmed)
    if relabelled:
        console.warn(f"{relabelled} of the pairs have different labels: at least one is wrong")
    if found.unreadable:
        console.warn(f"images left out because they could not be read: {len(found.unreadable):,}")
    console.say(f"{across.path}: all candidates")
    if confirmed:
        console.say(f"Next: featkit fit FEATURES.h5 --duplicates {across.path}")


def _row(pair: DuplicatePair) -> dict[str, object]:
    evidence = pair.evidence
    labels = " / ".join(dict.fromkeys(label or "(none)" for label in pair.labels))
    return {
        "images": "\n".join(pair.images),
        "lesions": "\n".join(pair.lesions),
        "labels": labels,
        "similarity": f"{pair.similarity:.2f}",
        "inliers": evidence.inliers,
        "correlation": f"{evidence.correlation:.2f}",
        "scale": f"{evidence.scale:.2f}",
        "rotation": f"{evidence.rotation:.0f}°",
        "mirrored": "yes" if evidence.mirrored else "",
    }


def _default_path(dataset: str) -> Path:
    name = re.sub(r"[^\w.+-]+", "-", dataset).strip("-.")
    return Path("artifacts", "duplicates", f"{name}.csv")
