"""Section: a map of the features in two dimensions, coloured by class."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

import numpy as np
from numpy.typing import NDArray

from featkit.errors import UsageError
from featkit.features import FeatureStore
from featkit.fingerprints import stable_order
from featkit.naming import counted
from featkit.report.charts import COLOURS, Mark, class_clouds, cloud_chart, swatch
from featkit.report.page.parts import (
    Cell,
    Column,
    Figure,
    Legend,
    Panel,
    Part,
    Section,
    Table,
    Text,
)
from featkit.report.page.words import count

__all__ = ["MAPS", "check_map", "map_section"]

#: Ways of drawing a map.
MAPS = ("pca", "umap")

_POINTS = 3000
"""More points hide one another and make the file large."""


def check_map(kind: str) -> None:
    """Refuse a map that cannot be drawn here.

    Raises:
        UsageError: An unknown kind, or UMAP without umap-learn.
    """
    if kind not in MAPS:
        raise UsageError(
            f"--map {kind}", cause="there is no such map", remedy=f"Use {' or '.join(MAPS)}"
        )
    if kind == "umap" and find_spec("umap") is None:
        raise UsageError(
            "--map umap",
            cause="umap-learn is not installed",
            remedy="Install it with `pip install umap-learn`, or use --map pca",
        )


def map_section(stores: Sequence[FeatureStore], *, kind: str) -> Section:
    """Return one map for each feature file, or a sentence where there is none."""
    parts: list[Part] = []
    for number, store in enumerate(stores, 1):
        parts += _maps(store, kind, key=f"cloud-{number}")
    if not stores:
        text = "No feature file was found for these Runs; give it with --features FILE.h5."
        parts = [Text(text, "note")]
    return Section("map", "The features on a map", "Feature map", parts)


def _maps(store: FeatureStore, kind: str, *, key: str) -> list[Part]:
    rows = _thinned(store)
    if len(rows) < 3:
        return [Text(f"{store.backbone_name} has fewer than three labelled images.", "note")]
    label, values = store.label[rows], store.numpy(rows=rows)
    usable = np.isfinite(values).all(axis=1)
    places, how = _places(values[usable], kind)
    label = label[usable]
    shown = np.bincount(label, minlength=len(store.classes))
    total = np.bincount(store.label[store.label >= 0], minlength=len(store.classes))
    columns = [Column("Class", number=False), Column("Points shown"), Column("Labelled images")]
    table = Table(
        f"Points by class, {store.backbone_name}",
        columns,
        [
            [Cell(name), Cell(count(a)), Cell(count(b))]
            for name, a, b in zip(store.classes, shown, total, strict=True)
        ],
    )
    caption = (
        f"{count(len(label))} of {count(total.sum())} labelled images, chosen by the hash of their "
        f"ids; {how}. Near means alike to the backbone; how classes overlap here bounds no "
        "classifier, which sees all dimensions."
    )
    title = f"{store.backbone_name}: {'UMAP' if kind == 'umap' else 'first two components'}"
    images = counted(len(label), "image")
    words = f"Scatter map of {images} in the feature space of {store.backbone_name}"
    figures: list[Part] = []
    if len(store.classes) <= COLOURS:
        every = Panel("", cloud_chart(places, label, words=f"{words}, coloured by class."))
        legend = [
            Legend(swatch(Mark(index), line=False), name)
            for index, name in enumerate(store.classes)
        ]
        figures.append(Figure(title, [every], caption, legend=legend, tables=[table]))
        title, caption, tables = f"{title}, class by class", "", []
    else:
        tables = [table]
    names = [f"{words}: {name} above all others." for name in store.classes]
    clouds = class_clouds(places, label, key=key, words=names)
    panels = [
        Panel(f"{name} · {count(number)}", cloud)
        for name, number, cloud in zip(store.classes, shown, clouds, strict=True)
    ]
    return [*figures, Figure(title, panels, caption, tables=tables)]


def _thinned(store: FeatureStore) -> NDArray[np.intp]:
    """Return rows with a label and features: some thousand, the same ones every time."""
    rows = np.flatnonzero(store.done & (store.label >= 0))
    order = stable_order(store.image_id[rows].tolist(), "map")
    return np.sort(rows[order[:_POINTS]])


def _places(values: NDArray[np.float32], kind: str) -> tuple[NDArray[np.float64], str]:
    """Return two coordinates for each row, and how they were made."""
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    deviation = centred.std(axis=0)
    centred /= np.where(deviation > 0, deviation, 1.0)
    variance, axes = np.linalg.eigh(centred.T @ centred)
    leading = axes[:, ::-1][:, : min(50, axes.shape[1])]
    # A component has no sign of its own: its largest weight is made positive.
    signs = np.sign(leading[np.abs(leading).argmax(axis=0), np.arange(leading.shape[1])])
    components = centred @ (leading * signs)
    if components.shape[1] < 2:
        components = np.column_stack([components, np.zeros(len(components))])
    if kind == "umap":
        import umap  # type: ignore[import-not-found,unused-ignore]

        made = umap.UMAP(random_state=0, n_jobs=1).fit_transform(components)
        return np.asarray(made, np.float64), "UMAP of the first 50 principal components"
    share = variance[::-1][:2].sum() / max(variance.sum(), 1e-12)
    text = f"principal components of standardised features, {share:.0%} of their variance"
    return components[:, :2], text
