"""How well `featkit data check --duplicates` works on a data set whose lesions have several images.

    duplicates.py DATA SPEC OUT [IMAGE_SIZE]   search and measure
    duplicates.py OUT                          count the verdicts again

Two photographs of one lesion are what the search is for, and the data set says which these are:
the share of them that the geometry confirms is its recall, the share whose partner is among an
image's nearest neighbours that of the candidates. Random pairs across lesions give the rate of
false alarms. Writes OUT/duplicates.json, and OUT/duplicates.csv with all candidates on which some
keypoints agree. If OUT/duplicates_seen.csv is there (image_1, image_2, seen: same, neighbours or
different), made by looking at the pairs, its verdicts are counted.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path

import numpy as np
from machine import describe

from featkit import load_backbone, load_dataset
from featkit.data import Dataset
from featkit.duplicates import NEIGHBOURS, DuplicatePair, Evidence, write_pairs
from featkit.duplicates._comparisons import compare_rows
from featkit.duplicates.candidates import half_whitened, nearest_across
from featkit.duplicates.finding import pairs_of
from featkit.features import turned_features
from featkit.fingerprints import stable_order
from featkit.progress import Progress
from featkit_cli.progress import shown_progress

PAIRS = 1000
"""Pairs of one lesion, and random pairs across lesions."""

Rows = list[tuple[int, int]]


def main() -> None:
    *asked, out = sys.argv[1:4]
    folder = Path(out)
    if asked:
        found = search(*asked, folder, int(sys.argv[4]) if len(sys.argv) > 4 else None)
    else:
        found = json.loads((folder / "duplicates.json").read_text())
    found["seen"] = verdicts(folder)
    (folder / "duplicates.json").write_text(json.dumps(found, indent=1) + "\n")


def search(data: str, spec: str, folder: Path, image_size: int | None) -> dict[str, object]:
    dataset = load_dataset(data)
    backbone = load_backbone(spec, image_size=image_size)
    with shown_progress() as progress:
        found, pairs = measure(dataset, backbone, progress)
    write_pairs(folder / "duplicates.csv", [pair for pair in pairs if pair.evidence.inliers])
    facts = {"data": dataset.name, "backbone": backbone.spec, "image_size": image_size}
    software = {"opencv": version("opencv-python-headless"), "machine": describe()}
    return {**facts, **found, **software}


def measure(
    dataset: Dataset, backbone: object, progress: Progress
) -> tuple[dict[str, object], tuple[DuplicatePair, ...]]:
    began = [time.perf_counter()]
    turned = turned_features(dataset, backbone, progress=progress)
    began.append(time.perf_counter())
    assert not turned.reason.any(), "every image must be readable"
    features = half_whitened(turned.features)
    candidates = nearest_across(features, dataset.group, neighbours=NEIGHBOURS, progress=progress)
    began.append(time.perf_counter())
    rows = list(zip(candidates.first.tolist(), candidates.second.tolist(), strict=True))
    evidence = compare_rows(dataset, rows, workers=None, progress=progress)
    began.append(time.perf_counter())
    pairs = pairs_of(dataset, candidates, evidence)
    same, other = same_lesion(dataset), across_lesions(dataset)
    known = compare_rows(dataset, same + other, workers=None, progress=progress)
    steps = ("features", "candidates", "geometry")
    seconds = dict(zip(steps, np.diff(began).round(1).tolist(), strict=True))
    return (
        {
            "images": len(dataset),
            "neighbours": NEIGHBOURS,
            "seconds": seconds,
            "load_average": round(os.getloadavg()[1], 1),  # other work on the machine slows it down
            "candidates": len(pairs),
            "confirmed": sum(pair.confirmed for pair in pairs),
            "lesion_pairs": len({frozenset(pair.lesions) for pair in pairs if pair.confirmed}),
            "relabelled": sum(pair.confirmed and pair.relabelled for pair in pairs),
            "same_lesion": {
                **confirmed(known[: len(same)]),
                "among_the_neighbours": neighbours_share(features, dataset, same),
            },
            "across_lesions": confirmed(known[len(same) :]),
        },
        pairs,
    )


def same_lesion(dataset: Dataset) -> Rows:
    """Return the first two images of some lesions that have several, in a stable order."""
    names, lesion, count = np.unique(dataset.group, return_inverse=True, return_counts=True)
    several = np.flatnonzero(count > 1)
    chosen = several[stable_order(names[several].tolist(), "same")][:PAIRS]
    found = (np.flatnonzero(lesion == number)[:2] for number in chosen)
    return [(int(one), int(other)) for one, other in found]


def across_lesions(dataset: Dataset) -> Rows:
    order = stable_order(dataset.image_id.tolist(), "across")
    pairs = zip(order[::2].tolist(), order[1::2].tolist(), strict=False)
    return [pair for pair in pairs if dataset.group[pair[0]] != dataset.group[pair[1]]][:PAIRS]


def confirmed(evidence: list[Evidence]) -> dict[str, object]:
    count = sum(one.confirmed for one in evidence)
    return {"pairs": len(evidence), "confirmed": count, "share": round(count / len(evidence), 4)}


def neighbours_share(features: np.ndarray, dataset: Dataset, pairs: Rows) -> float:
    """Return how often one of the two is among the other's nearest, its lesion's others aside."""
    found = 0
    for one, other in pairs:
        foreign = dataset.group != dataset.group[one]
        ranks = []
        for row, partner in ((one, other), (other, one)):
            similarity = (features[row] @ features[:, 0].T).max(axis=0)
            ranks.append(np.count_nonzero(similarity[foreign] > similarity[partner]))
        found += min(ranks) < NEIGHBOURS
    return round(found / len(pairs), 4)


def verdicts(folder: Path) -> dict[str, dict[str, int]]:
    """Count what was seen, of confirmed candidates and of the others."""
    path = folder / "duplicates_seen.csv"
    seen = {}
    if path.exists():
        seen = {images_of(row): row["seen"] for row in rows_of(path)}
    counts = {"confirmed": Counter[str](), "not_confirmed": Counter[str]()}
    for row in rows_of(folder / "duplicates.csv"):
        part = "confirmed" if row["confirmed"] == "yes" else "not_confirmed"
        counts[part][seen.get(images_of(row), "not looked at")] += 1
    return {part: dict(counts[part]) for part in counts}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def images_of(row: dict[str, str]) -> frozenset[str]:
    return frozenset((row["image_1"], row["image_2"]))


if __name__ == "__main__":
    assert len(sys.argv) in {2, 4, 5}, __doc__
    main()
