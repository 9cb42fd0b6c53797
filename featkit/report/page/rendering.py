"""From a Page to one HTML file that needs nothing else."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined

from featkit.report.page.parts import Page

__all__ = ["render"]


def render(page: Page) -> str:
    """Return the page as HTML: style and script inside, nothing loaded from anywhere.

    All text is escaped; only the charts' SVG, which the XML library wrote, goes in as it is. A
    content security policy forbids requests and every script but the page's own.
    """
    script = _template("page.js")
    html = (
        _environment()
        .get_template("page.html")
        .render(
            page=page,
            style=_template("page.css"),
            script=script,
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            kind=lambda part: type(part).__name__.lower(),
        )
    )
    return "".join(map(_allowed, html))


@cache
def _environment() -> Environment:
    """Return the templates' environment, which compiles each of them once."""
    return Environment(
        loader=FunctionLoader(_template),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def _template(name: str) -> str:
    return (files("featkit.report") / "templates" / name).read_text(encoding="utf-8")


def _allowed(character: str) -> str:
    """Return the character, replaced where HTML or UTF-8 cannot hold it."""
    code = ord(character)
    control = code < 32 and character not in "\n\t"
    if control or 0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code & 0xFFFE == 0xFFFE:
        return "\N{REPLACEMENT CHARACTER}"
    return character
