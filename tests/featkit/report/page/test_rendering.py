from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.report.charts import Axis, Line, Mark, Point, Tick, line_chart, swatch
from featkit.report.page.parts import (
    Cell,
    Code,
    Column,
    Fact,
    Figure,
    Folded,
    Gallery,
    Legend,
    Page,
    Panel,
    Picture,
    Section,
    Table,
    Text,
)
from featkit.report.page.rendering import render

ANY_TEXT = st.text(st.characters(), min_size=1, max_size=40)


def page_with(name: str) -> Page:
    """Return a page in which the name stands wherever text can."""
    axis = Axis(name, [Tick(0.0, "0"), Tick(1.0, "1")])
    lines = [Line(name, Mark(0), [Point(0.0, 0.5, 0.4, 0.6, name), Point(1.0, 0.7, tip=name)])]
    chart = line_chart(lines, x=axis, y=axis, label=name, width=400, height=300, names=True)
    table = Table(name, [Column(name), Column(name)], [[Cell(name, name), Cell(name, level=0.4)]])
    parts = [
        Text(name),
        Text(name, "note"),
        Figure(name, [Panel(name, chart)], name, [Legend(swatch(Mark(1)), name)], [table]),
        table,
        Code(name, name),
        Gallery(name, [Picture("data:image/png;base64,", name, [name, name])]),
        Folded(name, [table]),
    ]
    section = Section("key", name, name, parts)
    return Page(name, name, name, [name], name, [Fact(name, name, name)], [section], name)


@settings(max_examples=40, deadline=None)
@given(ANY_TEXT)
def test_any_text_stays_text(read, name):
    plain = read(render(page_with("plain")))
    html = render(page_with(name))
    html.encode("utf-8")
    page = read(html)
    assert [e.tag for e in page.elements] == [e.tag for e in plain.elements]
    assert [sorted(e.attributes) for e in page.elements] == [
        sorted(e.attributes) for e in plain.elements
    ]


def test_markup_is_shown_as_it_is_written(read):
    name = "</style></script><img src=x onerror=alert(1)>"
    page = read(render(page_with(name)))
    assert page.all("h1")[0].text == name
    assert page.all("caption")[0].text == name
    assert len(page.all("img")) == 1


def test_the_policy_names_the_script_that_is_there(read):
    import base64
    import hashlib

    page = read(render(page_with("plain")))
    script = page.all("script")[0].text
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(
        e.attributes["content"]
        for e in page.all("meta")
        if e.attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_control_characters_and_lone_surrogates_are_replaced():
    html = render(page_with("a\x00b\x1f\ud800\uffffc\x85"))
    assert "a��" not in html  # one character for one
    assert "a�b" in html
    assert not set(html) & {"\x00", "\x1f", "\ud800", "\uffff", "\x85"}
