"""`featkit data download`: published data sets, with their licence, laid out and checked."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit.errors import DataError, UsageError
from featkit_cli import console
from featkit_cli.findings import show_classes, show_findings
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

if TYPE_CHECKING:
    from featkit.data.download import Download, Licence, PartCheck, Publication

__all__ = ["download"]


def download(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="ham10000, isic2018, isic2019, ham10000-duplicates or dermamnist.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="A new or empty folder, or one that this command has filled."
        ),
    ] = None,
    part: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="May be given several times; `all` for all. Default: the first that --list names.",
        ),
    ] = None,
    accept_licence: Annotated[
        bool,
        typer.Option("--accept-licence", help="Accept the licence. It is asked for only once."),
    ] = False,
    mirror: Annotated[
        str,
        typer.Option(
            metavar="URL",
            envvar="FEATKIT_MIRROR",
            help="A server below which each archive's host is a folder.",
        ),
    ] = "",
    keep_archives: Annotated[
        bool, typer.Option("--keep-archives", help="Keep the .zip files, in DIR/.download.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads of the check.")
    ] = None,
    listed: Annotated[
        bool, typer.Option("--list", help="Show what can be downloaded, with sizes and licences.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Download a published data set, lay it out as it is read, and check it.

    Interrupted downloads continue with the same command. Checksums that the archive publishes are
    compared; where it publishes none, the SHA-256 of what came is written down and compared the
    next time.
    """
    if listed:
        _show_list(as_json)
        return
    if name is None or folder is None:
        raise UsageError(
            "featkit data download",
            cause="it needs the name of a data set and a folder",
            remedy="Give for example ham10000 data/ham10000; --list shows what there is",
        )
    from featkit.data.download import download_dataset, find_request

    # Before anyone is asked to read a licence.
    publication = find_request(name, folder, parts=part or (), mirror=mirror)
    accepted = _accepted(publication, at_once=accept_licence)
    with console.interruptible(), shown_progress() as shown:
        done = download_dataset(
            name,
            folder,
            parts=part or (),
            accept_licence=accepted,
            mirror=mirror,
            keep_archives=keep_archives,
            workers=workers,
            progress=shown,
        )
    for note in done.notes:
        console.warn(note)
    if as_json:
        console.print_json(done.to_dict())
    else:
        _show(done)
    if done.problems:
        raise DataError(
            f"{name} in {folder} is not what was published",
            cause="; ".join(done.problems),
            remedy="Delete what is wrong there and run again; it is then downloaded anew",
        )


def _accepted(publication: Publication, *, at_once: bool) -> bool:
    """Show a licence that was not accepted before, and ask for it where someone can answer."""
    from featkit.data.download import is_accepted

    if is_accepted(publication):
        return True
    _show_licence(publication.title, publication.licence)
    if at_once or not sys.stdin.isatty():
        return at_once
    try:
        return typer.confirm("Do you accept it?", err=True)
    except typer.Abort as error:
        # Both Ctrl-C and the end of the input; only the first wants to leave without a word.
        if not isinstance(error.__context__, EOFError):
            raise
        console.note("\nNo answer, which counts as no.")
        return False


def _show_licence(title: str, licence: Licence) -> None:
    console.note(title)
    console.note(f"Licence: {licence.name}. {licence.terms} {licence.url}")
    for work in licence.citation:
        console.note(f"To be cited: {work}")


def _show_list(as_json: bool) -> None:
    from featkit.data.download import PUBLICATIONS

    if as_json:
        console.print_json([each.to_dict() for each in PUBLICATIONS.values()])
        return
    console.show_table(
        [row for each in PUBLICATIONS.values() for row in _list_rows(each)],
        title="Published data sets: featkit data download NAME DIR --part PART",
        caption="The first part of each is the default. Sizes as published, rounded; unpacking "
        "takes as much again.",
        left=["name", "part", "licence", "what"],
    )


def _list_rows(publication: Publication) -> list[dict[str, object]]:
    return [
        {
            "name": "" if number else publication.name,
            "part": part.name,
            "images": f"{part.images:,}" if part.images else "",
            "size": _size(part.size),
            "licence": "" if number else publication.licence.name,
            "what": "" if number else publication.title,
        }
        for number, part in enumerate(publication.parts)
    ]


def _size(count: int | None) -> str:
    """Return `2.8 GB`, `?` where it is not published."""
    if count is None:
        return "?"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count} B"


def _show(done: Download) -> None:
    for check in done.checks:
        _show_check(check)
    console.show_table(
        [
            {
                "file": file.name,
                "size": _size(file.bytes),
                "compared with": file.verified,
                "": "" if file.fresh else "was there",
            }
            for file in done.files
        ],
        title=f"Files of {done.publication.name}",
        left=["file", "compared with", ""],
    )
    for file in done.files:
        if file.renewed:
            console.warn(
                f"{file.name} is another version than this featkit knows: the archive publishes "
                "another checksum"
            )
    licence = done.publication.licence
    console.say(f"Licence: {licence.name}, {licence.url}")
    for work in licence.citation:
        console.say(f"To be cited: {work}")
    for check in () if done.problems else done.checks:
        if check.found is not None:
            console.say(f"Next: featkit extract {check.data} --backbone timm:resnet50.a1_in1k")
        else:
            console.say(f"Next: featkit fit FEATURES.h5 --duplicates {check.data}")


def _show_check(check: PartCheck) -> None:
    if check.found is not None:
        found = check.found
        show_classes(found.name, found.images, found.lesions, found.classes)
        show_findings(found)
    elif not check.problems:
        console.say(f"{check.data}: {check.pairs} pairs of images of one lesion under two ids")
