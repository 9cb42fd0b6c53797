"""The palette keeps the contrasts of WCAG 2.2, level AA, in every theme."""

import re
from importlib.resources import files
from itertools import pairwise

import pytest

from featkit.report.charts import COLOURS

CSS = (files("featkit.report") / "templates" / "page.css").read_text(encoding="utf-8")
THEMES = dict(
    zip(("light", "dark", "print"), re.findall(r":root \{(.*?)\}", CSS, re.S), strict=True)
)


def colours(theme):
    found = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", THEMES[theme]))
    return {
        name: [int(value[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        for name, value in found.items()
    }


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def contrast(first, second):
    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read(theme):
    found = colours(theme)
    for name in ("ink", "muted", "accent"):
        assert contrast(found[name], found["paper"]) >= 4.5, name
        assert contrast(found[name], found["panel"]) >= 4.5, name
    assert contrast(found["alarm"], (1, 1, 1)) >= 4.5
    fullest = [(a + b) / 2 for a, b in zip(found["tint"], found["panel"], strict=True)]
    assert contrast(found["ink"], fullest) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_series_can_be_seen_and_told_apart(theme):
    found = colours(theme)
    series = [found[f"c{number}"] for number in range(COLOURS)]
    assert all(contrast(colour, found["paper"]) >= 3 for colour in series)
    assert len({tuple(colour) for colour in series}) == COLOURS
    assert all(
        max(abs(a - b) for a, b in zip(*pair, strict=True)) > 0.15 for pair in pairwise(series)
    )
