"""What a person sees: tables, progress, errors. JSON goes to stdout, progress to stderr."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from featkit.files import jsonable

__all__ = [
    "escape",
    "fail",
    "interruptible",
    "note",
    "print_json",
    "say",
    "show_table",
    "stdout",
    "warn",
    "working",
]


def stdout() -> Console:
    """Return the console for results: as wide as the terminal, 120 columns in a pipe."""
    return Console(width=None if sys.stdout.isatty() else 120, highlight=False, emoji=False)


def _stderr() -> Console:
    return Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


def fail(message: str) -> None:
    """Write an error on one line to stderr."""
    _stderr().print(f"[bold red]featkit:[/] {escape(' '.join(message.split()))}")


def warn(message: str) -> None:
    """Write a warning on one line to stderr."""
    _stderr().print(f"[yellow]note:[/] {escape(message)}")


def note(message: str) -> None:
    """Write a line about the work, not its result, to stderr."""
    _stderr().print(escape(message))


def say(message: str) -> None:
    """Write a line of the result to stdout."""
    stdout().print(escape(message))


def print_json(value: object) -> None:
    """Write `value` as JSON to stdout."""
    text = json.dumps(jsonable(value), indent=1, ensure_ascii=False, allow_nan=False)
    sys.stdout.write(text + "\n")


def show_table(
    rows: Sequence[Mapping[str, object]],
    *,
    title: str = "",
    caption: str = "",
    left: Sequence[str] = (),
    styles: Mapping[str, str] | None = None,
) -> None:
    """Write a table of the rows to stdout: one column for each key of the first row.

    Args:
        rows: At least one; values are shown by `str`, an interval below its number.
        title: Stands above the table.
        caption: Stands below it.
        left: Columns that are text; the others are set to the right as numbers.
        styles: Rich's styles of cells, by what stands in them.
    """
    view = Table()
    for name in rows[0]:
        view.add_column(escape(name), justify="left" if name in left else "right", overflow="fold")
    for row in rows:
        view.add_row(*(_cell(str(value), styles or {}) for value in row.values()))
    out = stdout()
    if title:
        out.print(escape(title), style="bold")
    out.print(view)
    if caption:
        out.print(escape(caption), style="dim")


def _cell(text: str, styles: Mapping[str, str]) -> str:
    shown = escape(text).replace(" [", "\n[")
    return f"[{styles[text]}]{shown}[/]" if text in styles else shown


@contextmanager
def working(what: str) -> Iterator[None]:
    """Say what is being done while it takes a moment; nothing where no one watches."""
    if sys.stderr.isatty():
        with _stderr().status(escape(what)):
            yield
    else:
        yield


@contextmanager
def interruptible() -> Iterator[None]:
    """On Ctrl-C, say that the same command continues the work, and exit with 130."""
    try:
        yield
    except KeyboardInterrupt:
        command = shlex.join(["featkit", *sys.argv[1:]])
        note(f"Interrupted; what was done is kept. Continue with the same command: {command}")
        raise typer.Exit(130) from None
