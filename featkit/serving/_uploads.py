"""Uploads: the files of a request, in memory alone, counted and weighed while they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from featkit.serving._room import Visit
from featkit.serving.limits import Limits
from featkit.serving.refusals import RefusedError

__all__ = ["Upload", "gone", "uploads"]

_LONGEST_NAME = 200
"""Characters of a file's name that its answer repeats."""

_FORM = "Send files as multipart/form-data, each in a field named `images`"


@dataclass(frozen=True)
class Upload:
    """A file.

    Attributes:
        name: As it was sent, if it is not too long.
        content: Its bytes.
    """

    name: str
    content: bytes


class _Parser(MultiPartParser):
    """starlette's, with all in memory, which knows whether the end has come."""

    def __init__(self, request: Request, limits: Limits, visit: Visit) -> None:
        content = _weighed(request, limits, visit)
        super().__init__(request.headers, content, max_files=limits.images, max_fields=0)
        if not hasattr(MultiPartParser, "spool_max_size"):
            # Of another name in other versions, and unheard: files would go to the disk.
            raise RuntimeError("this starlette cannot be told to keep uploads in memory")
        self.spool_max_size = limits.bytes + 1
        self.closed = False

    def on_end(self) -> None:
        """Take note of the closing boundary."""
        super().on_end()
        self.closed = True


async def uploads(request: Request, limits: Limits, visit: Visit) -> list[Upload]:
    """Return the files of a multipart request.

    Args:
        request: The request.
        limits: What is taken.
        visit: Weighs it in.

    Raises:
        RefusedError: It is none, has no file, too many or too much.
    """
    _check_form(request)
    parser = _Parser(request, limits, visit)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise _malformed(error, limits) from None
    except ClientDisconnect:
        raise gone() from None
    try:
        if visit.bytes and not parser.closed:
            raise RefusedError(
                400, "malformed", "the request is cut off: its end is missing", _FORM
            )
        parts = form.multi_items()
        files = [part for name, part in parts if name == "images" and isinstance(part, UploadFile)]
        found = [Upload(_name(file), await file.read()) for file in files]
    finally:
        await form.close()
    if not found:
        raise RefusedError(422, "no_image", "the request has no image", _FORM)
    if len(found) < len(parts):
        raise RefusedError(422, "other_field", "a file is in another field than `images`", _FORM)
    return found


def gone() -> RefusedError:
    """Return why a request is not answered whose client has gone; no one reads it."""
    return RefusedError(499, "gone", "the client has gone", "Stay until it is answered")


def _check_form(request: Request) -> None:
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != b"multipart/form-data":
        raise RefusedError(415, "not_multipart", "the request has no files in it", _FORM)
    # Python knows codecs that decode to what no answer could repeat.
    if options.get(b"charset", b"utf-8").lower() not in (b"utf-8", b"utf8"):
        raise RefusedError(400, "malformed", "names of files are in another code than UTF-8", _FORM)


def _name(file: UploadFile) -> str:
    return (file.filename or "image")[:_LONGEST_NAME]


async def _weighed(request: Request, limits: Limits, visit: Visit) -> AsyncGenerator[bytes]:
    if int(request.headers.get("content-length", 0)) > limits.bytes:
        raise _too_large(limits)
    async for chunk in request.stream():
        visit.bring(size=len(chunk))
        if visit.bytes > limits.bytes:
            raise _too_large(limits)
        yield chunk


def _too_large(limits: Limits) -> RefusedError:
    return RefusedError(
        413,
        "too_large",
        f"the request has more than {limits.megabytes:g} MB",
        "Send smaller or fewer images",
    )


def _malformed(error: MultiPartException, limits: Limits) -> RefusedError:
    if "Too many files" in error.message:
        return RefusedError(
            413,
            "too_many_images",
            f"the request has more than {limits.images} images",
            "Send them in several requests",
        )
    if "Too many fields" in error.message:
        return RefusedError(400, "malformed", "a part of the request is no file", _FORM)
    message = f"the request cannot be read: {error.message.rstrip('.').lower()}"
    return RefusedError(400, "malformed", message, _FORM)
