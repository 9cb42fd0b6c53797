"""Clouds: thousands of points in classes, one path a class, so that the file stays small."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from featkit.report.charts._marks import COLOURS
from featkit.report.charts._svg import drawing, node

__all__ = ["class_clouds", "cloud_chart"]

_SIDE = 720
_MARGIN = 10


def cloud_chart(places: NDArray[np.float64], label: NDArray[np.int16], *, words: str) -> str:
    """Draw all points in the colours of their classes.

    Args:
        places: Shape (n, 2).
        label: Class of each point, shape (n,).
        words: What the map shows, for screen readers.
    """
    pixels, height = _pixels(places)
    paths = [
        _path(pixels[label == number], f"points s{number % COLOURS}")
        for number in np.unique(label).tolist()
    ]
    return drawing(_SIDE, height, paths, label=words, class_="cloud")


def class_clouds(
    places: NDArray[np.float64],
    label: NDArray[np.int16],
    *,
    key: str,
    words: Sequence[str],
) -> list[str]:
    """Draw one map for each class: its points in colour above all the others in grey.

    Args:
        places: Shape (n, 2).
        label: Class of each point, shape (n,).
        key: Distinct name in the page: the grey points are written once and used by every map.
        words: What each class's map shows, for screen readers, one for each class.
    """
    pixels, height = _pixels(places)
    maps = []
    for number, text in enumerate(words):
        if number == 0:
            behind = _path(pixels, "points others", id_=key)
        else:
            behind = node("use", href=f"#{key}")
        front = _path(pixels[label == number], f"points s{number % COLOURS}")
        maps.append(drawing(_SIDE, height, [behind, front], label=text, class_="cloud small"))
    return maps


def _pixels(places: NDArray[np.float64]) -> tuple[NDArray[np.int64], float]:
    """Return whole coordinates, shape (n, 2), and the drawing's height; both axes to one scale."""
    low, high = places.min(axis=0), places.max(axis=0)
    span = np.maximum(high - low, 1e-9)
    inside = _SIDE - 2 * _MARGIN
    scale = inside / span[0]
    height = float(np.clip(span[1] * scale, 0.4 * inside, inside))
    scale = min(scale, height / span[1])
    middle = np.array([_SIDE, height + 2 * _MARGIN]) / 2
    pixels = middle + (places - (low + high) / 2) * [scale, -scale]
    return np.round(pixels).astype(np.int64), height + 2 * _MARGIN


def _path(pixels: NDArray[np.int64], class_: str, id_: str | None = None) -> Element:
    distinct = np.unique(pixels, axis=0)
    dots = "".join(f"M{x} {y}h0" for x, y in distinct.tolist())
    return node("path", class_=class_, d=dots, id_=id_)
