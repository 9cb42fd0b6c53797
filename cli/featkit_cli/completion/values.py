"""Values that are offered for data sets and studies, and paths behind a colon."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import typer

import featkit
from featkit_cli.options import DOWNLOADS, kinds

__all__ = ["Offer", "data", "downloads", "one_of", "parts", "paths", "studies"]

Offer = Callable[[str], list[str]]
"""From what stands there to what may; nothing at all leaves it to the shell to offer files."""


def one_of(*words: str) -> Offer:
    """Return an offer of some words."""

    def offer(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return offer


def data(incomplete: str) -> list[str]:
    """Return kinds of data sets, and paths behind one."""
    kind, colon, path = incomplete.partition(":")
    if colon:
        known = kind in kinds() and kind != "synthetic" and "://" not in incomplete
        return paths(path, prefix=f"{kind}:") if known else []
    found = _or_files((f"{each}:" for each in kinds()), incomplete)
    # As with single folders: a kind alone is not the end of the word.
    return found if len(found) != 1 else [*found, *data(found[0])]


downloads = one_of(*DOWNLOADS)
"""Offers the names of published data sets."""


def parts(context: typer.Context, incomplete: str) -> list[str]:
    """Return the parts of the published data set that was named, of all of them before."""
    # An option without its value leaves the words before it unread.
    words = (str(context.params.get("name")), *context.args)
    named = [DOWNLOADS[word] for word in words if word in DOWNLOADS] or DOWNLOADS.values()
    each = [part for known in named for part in known]
    return one_of(*dict.fromkeys((*each, "all")))(incomplete)


def studies(incomplete: str) -> list[str]:
    """Return the names of the bundled studies."""
    folder = Path(featkit.__file__).parent / "studies" / "bundled"
    return _or_files(sorted(path.stem for path in folder.glob("*.toml")), incomplete)


def _or_files(names: Iterable[str], incomplete: str) -> list[str]:
    """Return the names that fit, files that fit too; nothing where no name does."""
    found = [name for name in names if name.startswith(incomplete)]
    return [*found, *paths(incomplete)] if found else []


def paths(incomplete: str, *, prefix: str = "") -> list[str]:
    """Return files and folders; a shell offers them itself, but not behind a prefix.

    Where a single folder fits, what is in it is offered as well, lest the shell take the folder for
    the end of the word.

    Args:
        incomplete: The path so far.
        prefix: What stands before it.
    """
    found = _entries(incomplete)
    if len(found) == 1 and found[0].endswith(os.sep):
        found += _entries(found[0])
    return [prefix + each for each in found]


def _entries(incomplete: str) -> list[str]:
    folder, start = os.path.split(incomplete)
    try:
        with os.scandir(Path(folder).expanduser() if folder else ".") as entries:
            return sorted(
                os.path.join(folder, entry.name) + (os.sep if entry.is_dir() else "")  # noqa: PTH118
                for entry in entries
                if entry.name.startswith(start) and (start or not entry.name.startswith("."))
            )
    except OSError:
        return []
