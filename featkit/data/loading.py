"""From what the user calls a data set to a Dataset."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path

from featkit.data.dataset import Dataset
from featkit.data.places import Place, RemoteError, as_place, expand_braces, is_url
from featkit.data.reader import CsvColumns, Reader, ReaderOptions
from featkit.data.readers import READERS
from featkit.errors import DataError, PluginError, UsageError

__all__ = ["load_dataset"]


def load_dataset(
    spec: str | Path, *, columns: CsvColumns | None = None, lesions: str | Path | None = None
) -> Dataset:
    """Read a data set.

    Args:
        spec: A path or URL whose layout is recognised, `KIND:PATH`, or `synthetic`. A text that
            is an existing path is a path, whatever its colons; a Path always is.
        columns: Which columns of a table mean what; makes a path without KIND a `csv`.
        lesions: For `isic`: a CSV with columns `image` and `lesion_id`.

    Raises:
        DataError: Nothing there, no layout or several recognised, or the data contradict
            themselves.
        UsageError: An unknown KIND, or an option that the reader does not understand.
        PluginError: The KIND is one that another distribution adds and that does not work.
    """
    options = ReaderOptions(columns=columns, lesions=lesions)
    target: str | Place = str(spec)
    try:
        reader, target = _choose(spec, options)
        _check_options(reader, options)
        dataset = reader.read(target, options)
        return replace(dataset, origin=(str(spec), *_words(options)))
    except OSError as error:
        raise DataError(
            f"cannot read {error.filename or target}",
            cause=str(error.strerror or error).lower(),
            remedy="Check the address, your access to it and the network"
            if isinstance(error, RemoteError)
            else "Check the path and its permissions",
        ) from error


def _words(options: ReaderOptions) -> Iterator[str]:
    """Yield the command line's options for reading."""
    columns = options.columns
    if columns is not None:
        for field, value in (
            ("image-column", columns.image),
            ("label-column", columns.label),
            ("group-column", columns.group),
            ("id-column", columns.id),
            ("split-column", columns.split),
            ("images", columns.root),
        ):
            if value is not None:
                yield from (f"--{field}", str(value))
    if options.lesions is not None:
        yield from ("--lesions", str(options.lesions))


def _choose(spec: str | Path, options: ReaderOptions) -> tuple[Reader, str | Place]:
    text = str(spec)
    alone = text in READERS and not READERS[text].needs_path
    if isinstance(spec, str) and not is_url(text) and (alone or not Path(text).exists()):
        kind, colon, target = text.partition(":")
        if kind in READERS:
            return READERS[kind], _checked_target(READERS[kind], target)
        if colon and re.fullmatch(r"\w[\w-]+", kind):
            raise UsageError(
                f"{text}: unknown kind of data set {kind!r}",
                cause="the kinds are " + ", ".join(READERS),
                remedy="Choose one of them, check the path, or install what adds the kind",
            )
    first, place = _existing(spec)
    if options.columns is not None and first.is_file():
        return READERS["csv"], place
    return _recognise(first), place


def _checked_target(reader: Reader, target: str) -> str | Place:
    if reader.needs_path:
        if not target:
            raise UsageError(
                f"{reader.kind} needs a path",
                cause=f"it reads {reader.looks_for}",
                remedy=f"Write {reader.kind}:PATH",
            )
        return _existing(target)[1]
    return target


def _existing(target: str | Path) -> tuple[Place, str | Place]:
    """Return what is there, and what to read: the same, or a pattern of which it is the first."""
    path = as_place(target)
    if path.exists():
        return path, path
    first = as_place(expand_braces(str(target))[0])
    if first != path and first.exists():
        return first, str(target)
    raise DataError(
        f"{path} does not exist",
        cause="the path is mistyped, or the data set was not unpacked there"
        if isinstance(path, Path)
        else "the address is mistyped, or its server lists no files there",
        remedy="Check the path; `synthetic` needs none",
    )


def _recognise(path: Place) -> Reader:
    if path.is_dir() and not any(path.iterdir()):
        raise DataError(
            f"{path} is empty",
            cause="the data set was not unpacked there",
            remedy="Give the folder that holds the images",
        )
    ours = [READERS[kind] for kind in READERS.own]
    others: list[Reader] = []
    broken: list[PluginError] = []
    found = _recognising(ours, path)
    if not found:
        # What is installed beside featkit is asked last: it never changes what a path means.
        others, broken = _outside()
        found = _recognising(others, path)
    if len(found) == 1:
        return found[0]
    listed = found or [reader for reader in (*ours, *others) if reader.needs_path]
    looked = "; ".join(f"{reader.kind}: {reader.looks_for}" for reader in listed)
    if found:
        raise DataError(
            f"{path} could be several kinds of data set",
            cause=f"recognised {looked}",
            remedy=f"Say which one, for example {found[0].kind}:{path}",
        )
    unasked = "".join(f"; not asked: {error.what}, as {error.cause}" for error in broken)
    raise DataError(
        f"{path} is no data set that is recognised",
        cause=f"looked for {looked}{unasked}",
        remedy="Name the kind before the path (KIND:PATH) for an error that says what is missing",
    )


def _outside() -> tuple[list[Reader], list[PluginError]]:
    """Return the readers that other distributions add, and why some of them do not work."""
    working, broken = [], []
    for kind in READERS.outside:
        try:
            working.append(READERS[kind])
        except PluginError as error:
            broken.append(error)
    return working, broken


def _recognising(readers: Sequence[Reader], path: Place) -> list[Reader]:
    return [reader for reader in readers if reader.recognises(path)]


def _check_options(reader: Reader, options: ReaderOptions) -> None:
    for name in (field.name for field in fields(options)):
        if getattr(options, name) is not None and name not in reader.options:
            kinds = [kind for kind in READERS.own if name in READERS[kind].options]
            raise UsageError(
                f"data of kind {reader.kind} take no {name}",
                cause=f"only {' and '.join(kinds)} does",
                remedy="Leave the option out, or name the kind before the path (KIND:PATH)",
            )
