import math
import re
from itertools import pairwise
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.report.charts import (
    Axis,
    Dot,
    Line,
    Mark,
    Point,
    Rule,
    Tick,
    class_clouds,
    cloud_chart,
    enclosing,
    even_ticks,
    extent,
    line_chart,
    scatter_chart,
    swatch,
)
from featkit.report.charts._marks import dodged
from featkit.report.charts._scales import Scale, thinned
from featkit.report.charts._svg import clean, number

NUMBERS = st.floats(-1e6, 1e6)
X = Axis("labels", [Tick(1, "1%", "60"), Tick(10, "10%"), Tick(100, "100%")], log=True)
Y = Axis("score", [Tick(0.0, "0"), Tick(1.0, "1")])


def chart(lines, **options):
    return ElementTree.fromstring(
        line_chart(lines, x=X, y=Y, label="words", width=400, height=300, **options)
    )


@given(NUMBERS, NUMBERS)
def test_even_ticks_enclose_the_values_in_equal_steps(a, b):
    low, high = min(a, b), max(a, b)
    ticks = even_ticks(low, high)
    slack = 1e-6 * max(1.0, abs(low), abs(high))
    assert ticks[0] <= low + slack
    assert ticks[-1] >= high - slack
    assert 2 <= len(ticks) <= 9
    steps = np.diff(ticks)
    assert np.allclose(steps, steps[0], rtol=1e-3, atol=slack)
    assert steps[0] > 0


def test_even_ticks_are_round():
    assert even_ticks(0.14, 0.83) == [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]


@given(st.lists(st.floats(1e-3, 1e6), min_size=1))
def test_choices_enclose_the_values_and_no_more(values):
    choices = [0.001, 0.01, 1, 10, 60, 3600, 1e7]
    found = enclosing(choices, values)
    assert len(found) >= 2
    assert found[0] <= min(values)
    assert max(values) <= found[-1]
    inner = found[1:-1]
    assert all(min(values) < choice < max(values) for choice in inner)


def test_scales_go_from_end_to_end_and_stay_in_the_middle_for_one_value():
    assert Scale(1, 100, 0, 10, log=True)(10) == pytest.approx(5)
    assert Scale(0, 4, 10, 0)(1) == pytest.approx(7.5)
    assert Scale(3, 3, 0, 10)(3) == 5


@given(st.lists(st.floats(0, 100), min_size=1, max_size=12), st.floats(0, 30))
def test_dodged_labels_keep_their_order_and_room(places, gap):
    moved = dodged(places, gap=gap, low=0, high=100)
    ordered = [moved[index] for index in sorted(range(len(places)), key=lambda i: places[i])]
    room = min(gap, 100 / max(1, len(places) - 1))
    assert all(b - a >= room - 1e-6 for a, b in pairwise(ordered))
    assert all(-1e-6 <= place <= 100 + 1e-6 for place in moved)


@given(st.lists(st.floats(0, 500), min_size=1, max_size=15).map(sorted), st.floats(1, 80))
def test_thinned_labels_do_not_touch_and_the_last_one_stays(places, gap):
    kept = thinned(places, gap=gap)
    assert kept[-1] == len(places) - 1
    chosen = [places[index] for index in kept]
    assert all(b - a >= gap for a, b in pairwise(chosen))


def test_extent_ignores_what_is_not_finite():
    assert extent([math.nan, 2.0, 1.0, math.inf], fallback=(0, 1)) == (1.0, 2.0)
    assert extent([math.nan], fallback=(0, 1)) == (0, 1)


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "1"), (0.04, "0"), (-0.04, "0"), (-0.06, "-0.1"), (10.25, "10.2")]
)
def test_coordinates_are_short(value, text):
    assert number(value) == text


def test_coordinates_must_be_finite():
    with pytest.raises(ValueError, match="must be finite"):
        number(math.nan)


def test_text_is_cleaned_of_what_html_cannot_hold():
    assert clean("a\x00b\ud800 ä皮") == "a\ufffdb\ufffd ä皮"


def test_points_stand_where_the_axes_say():
    line = Line("a", Mark(0), [Point(1, 0.0), Point(10, 0.5), Point(100, 1.0)])
    marks = [(float(c.get("cx")), float(c.get("cy"))) for c in chart([line]).iter("circle")]
    (x1, y1), (x2, y2), (x3, y3) = marks
    assert x2 - x1 == pytest.approx(x3 - x2, abs=0.11)
    assert y1 - y2 == pytest.approx(y2 - y3, abs=0.11)
    assert x1 < x2 < x3
    assert y1 > y2 > y3


def test_a_gap_breaks_the_line_and_intervals_are_bands():
    points = [Point(1, 0.2, 0.1, 0.3), Point(10, math.nan), Point(100, 0.6, 0.5, 0.7)]
    root = chart([Line("a", Mark(0), points)])
    assert not list(root.iter("polyline"))
    assert len(list(root.iter("circle"))) == 2
    whiskers = [e for e in root.iter("line") if e.get("class") == "whisker"]
    assert len(whiskers) == 2  # a band of one point would not be seen


def test_whiskers_of_two_lines_do_not_cover_one_another():
    lines = [Line(str(i), Mark(i), [Point(10, 0.5, 0.4, 0.6)]) for i in range(2)]
    xs = {
        e.get("x1") for e in chart(lines, whiskers=True).iter("line") if e.get("class") == "whisker"
    }
    assert len(xs) == 2


def test_names_and_rules_are_written():
    line = Line("a method with a very long name indeed", Mark(0), [Point(1, 0.5)])
    texts = [e.text for e in chart([line], names=True, rules=[Rule(0.1, "chance")]).iter("text")]
    assert "chance" in texts
    assert any(text.endswith("…") for text in texts)


def test_marks_differ_without_colour():
    shapes = {re.sub(r' class="[^"]*"', "", swatch(Mark(i), line=True)) for i in range(5)}
    assert len(shapes) == 5
    assert "hollow" in Mark(1, hollow=True).classes
    assert Mark(8).classes != Mark(0).classes


def test_the_front_is_a_staircase():
    dots = [
        Dot(1, 0.2, 0.1, 0.3, Mark(0), name="cheap", front=True),
        Dot(10, 0.1, math.nan, math.nan, Mark(1)),
        Dot(100, 0.9, 0.8, 1.0, Mark(2), name="dear", front=True),
        Dot(math.nan, 0.9, 0.8, 1.0, Mark(2)),
    ]
    root = ElementTree.fromstring(
        scatter_chart(dots, x=X, y=Y, label="words", width=400, height=300)
    )
    (front,) = root.iter("polyline")
    corners = [tuple(map(float, pair.split(","))) for pair in front.get("points").split()]
    assert all(a[0] == b[0] or a[1] == b[1] for a, b in pairwise(corners))
    assert {e.text for e in root.iter("text")} >= {"cheap", "dear"}
    assert len([e for e in root.iter("g") if "beaten" in e.get("class")]) == 1


def test_clouds_have_a_path_a_class_and_stay_inside():
    generator = np.random.default_rng(0)
    places, label = generator.normal(size=(500, 2)), generator.integers(0, 3, 500).astype(np.int16)
    text = cloud_chart(places, label, words="a map")
    root = ElementTree.fromstring(text)
    assert len(list(root.iter("path"))) == 3
    _, _, width, height = map(float, root.get("viewBox").split())
    for x, y in re.findall(r"M(-?\d+) (-?\d+)h0", text):
        assert 0 <= int(x) <= width
        assert 0 <= int(y) <= height
    assert len(text) < 500 * 14 + 1000


def test_maps_by_class_write_the_grey_points_once():
    places, label = np.arange(20.0).reshape(10, 2), np.arange(10, dtype=np.int16) % 2
    first, second = class_clouds(places, label, key="k", words=["a", "b"])
    assert first.count("others") == 1
    assert '<use href="#k"' in second
    assert "others" not in second


def test_equal_points_give_a_map():
    assert "path" in cloud_chart(np.zeros((4, 2)), np.zeros(4, np.int16), words="one place")
