"""Explanations as pictures: what the network saw, what speaks for the class, and how sure it is."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from featkit.data import Dataset
from featkit.files import atomic_path, disk_errors, write_json
from featkit.inference.explaining import Explanation, explanations
from featkit.inference.predictor import Predictor
from featkit.progress import Progress

__all__ = ["draw_explanation", "write_explanations"]

_SHOWN_CASES = 5
_RED_BLUE = "RdBu_r"


def draw_explanation(found: Explanation, path: Path) -> None:
    """Write an explanation as a PNG file.

    Raises:
        StoreError: It cannot be written.
    """
    figure = Figure(figsize=(10, 3.6), layout="constrained", dpi=120)
    seen, heated, bars = figure.subplots(1, 3, width_ratios=(1, 1, 1.1))
    seen.imshow(found.pixels)
    seen.set_title("what the network saw", fontsize=9)
    _draw_heat(found, heated)
    _draw_bars(found, bars)
    for axes in (seen, heated):
        axes.set_axis_off()
    near = ", ".join(
        f"{case.diagnosis} ({case.image_id}, {case.similarity:.2f})"
        for case in found.cases[:_SHOWN_CASES]
    )
    figure.suptitle(f"{found.image_id}: decision {found.decision}", fontsize=10)
    notes = [f"Nearest training cases: {near}"] if near else []
    notes.append("For research. No medical device.")
    figure.supxlabel("\n".join(notes), fontsize=7)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": "featkit"})


def write_explanations(
    predictor: Predictor,
    images: Dataset,
    folder: Path,
    *,
    label: str | None = None,
    cases: int = 5,
    progress: Progress | None = None,
) -> list[Path]:
    """Draw the explanation of each image into a folder, and write them all as a JSON file.

    Args:
        predictor: The model.
        images: The images.
        folder: Where to; what has the same name is replaced.
        label: As `explanations` takes it.
        cases: As `explanations` takes it.
        progress: As `explanations` takes it.

    Returns:
        The pictures.

    Raises:
        UsageError: The model has no class of this name, or a library is missing.
        StoreError: They cannot be written.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
    said: list[dict[str, object]] = []
    paths: list[Path] = []
    for found in explanations(predictor, images, label=label, cases=cases, progress=progress):
        paths.append(folder / f"{len(paths):05d}-{_file_name(found.image_id)}.png")
        draw_explanation(found, paths[-1])
        said.append({**found.to_dict(), "picture": paths[-1].name})
    write_json(folder / "explanations.json", said)
    return paths


def _file_name(image_id: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", Path(image_id).stem)[:80] or "image"


def _draw_heat(found: Explanation, axes: Axes) -> None:
    # In grey, since skin is red as well.
    axes.imshow(Image.fromarray(found.pixels).convert("L"), cmap="gray", vmin=0, vmax=255)
    if found.heat is None:
        axes.set_title(f"no map: never trained on {found.label}", fontsize=9)
        return
    values = found.heat.maps[0]
    most = float(np.abs(values).max()) or 1.0
    high, wide, _ = found.pixels.shape
    # What speaks neither for nor against the class stays clear.
    axes.imshow(
        values,
        cmap=_RED_BLUE,
        vmin=-most,
        vmax=most,
        alpha=np.clip(np.abs(values) / most, 0, 1) * 0.65,
        extent=(-0.5, wide - 0.5, high - 0.5, -0.5),
        interpolation="bilinear",
    )
    axes.set_title(f"for (red) or against (blue) {found.label}\n{found.heat.way}", fontsize=9)


def _draw_bars(found: Explanation, axes: Axes) -> None:
    ranked = sorted(found.probabilities.items(), key=lambda pair: pair[1])[-10:]
    names = [name for name, _ in ranked]
    shares = [share for _, share in ranked]
    bars = axes.barh(names, shares, color="#1f5fae")
    axes.bar_label(bars, [f"{share:.1%}" for share in shares], padding=3, fontsize=8)
    axes.set_xlim(0, 1.18)
    axes.set_xticks([0, 0.5, 1], ["0", "50%", "100%"])
    axes.tick_params(labelsize=8)
    axes.set_title("calibrated probability", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
