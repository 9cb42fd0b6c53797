"""SVG as elements: built in Python, escaped by the XML library, coloured by the page's CSS."""

from __future__ import annotations

import math
from collections.abc import Iterable
from xml.etree.ElementTree import Element, tostring

__all__ = ["clean", "drawing", "node", "number", "text_width"]

#: Mean width of a character in units of the font size, for system sans-serif fonts.
_CHARACTER = 0.56


def node(tag: str, *children: Element | str, **attributes: object) -> Element:
    """Return an element.

    Args:
        tag: Its name.
        children: Elements, or one text.
        attributes: `class_` stands for `class`, `stroke_width` for `stroke-width`; numbers are
            written short; None leaves an attribute out.
    """
    named = {
        name.rstrip("_").replace("_", "-"): number(value)
        if isinstance(value, float)
        else clean(str(value))
        for name, value in attributes.items()
        if value is not None
    }
    element = Element(tag, named)
    for child in children:
        if isinstance(child, str):
            element.text = clean(child)
        else:
            element.append(child)
    return element


def drawing(
    width: float, height: float, children: Iterable[Element], *, label: str, class_: str = ""
) -> str:
    """Return an inline SVG that stands for one image, named for screen readers.

    Args:
        width: Of the view box; the page scales it.
        height: Of the view box.
        children: What is drawn.
        label: What the image shows, in words.
        class_: For the style sheet.
    """
    root = node(
        "svg",
        *children,
        class_=class_ or None,
        viewBox=f"0 0 {number(width)} {number(height)}",
        role="img",
        aria_label=label,
    )
    return tostring(root, encoding="unicode")


def number(value: float) -> str:
    """Return a coordinate with at most one decimal."""
    if not math.isfinite(value):
        raise ValueError("a coordinate must be finite")
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")  # + 0.0 turns -0.0 into 0.0


def clean(text: str) -> str:
    """Return the text without what HTML cannot hold: control characters, lone surrogates."""
    return "".join(
        character if character.isprintable() or character == " " else "\N{REPLACEMENT CHARACTER}"
        for character in text
    )


def text_width(text: str, size: float) -> float:
    """Return about how wide a text is, in the units of the font size."""
    return _CHARACTER * size * len(text)
