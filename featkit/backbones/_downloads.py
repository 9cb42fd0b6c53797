"""Weights that lie on a server: in the cache, or fetched into it, or an error with ways out."""

from __future__ import annotations

import errno
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import torch
from huggingface_hub import (
    constants,
    get_hf_file_metadata,
    hf_hub_download,
    hf_hub_url,
    try_to_load_from_cache,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from featkit.errors import BackboneError

__all__ = ["HubFile", "Remote", "WebFile", "fetch"]

_KNOWN: dict[type[Exception], str] = {
    OfflineModeIsEnabled: "they are not in the cache and HF_HUB_OFFLINE forbids to fetch them",
    GatedRepoError: "their owner gives access on request only; ask for it and set HF_TOKEN",
    RevisionNotFoundError: "the repository has no such revision",
    RepositoryNotFoundError: "no such repository on the Hub, or a private one",
    TimeoutError: "the server did not answer in time",
}
"""Causes that the libraries name themselves, the special ones before the general."""

_PATIENCE = 10.0
"""Seconds to wait for a server's first answer."""


class Remote(Protocol):
    """A file on a server, with a place in a cache."""

    @property
    def server(self) -> str:
        """The server's name."""

    @property
    def cache_variable(self) -> str:
        """What to set to find the file elsewhere, as part of a sentence."""

    def cached(self) -> Path | None:
        """Return the file's path in the cache, or None where it is not there."""

    def download(self) -> Path:
        """Fetch the file into the cache and return its path.

        Raises:
            Exception: Whatever the network, the server or the disk has against it.
        """


@dataclass(frozen=True)
class HubFile:
    """A file on the Hugging Face Hub.

    Attributes:
        repository: `owner/name`, with `@revision` where it is not the main one.
        names: Names that the file may have, the preferred one first.
    """

    repository: str
    names: tuple[str, ...]

    server = urlsplit(constants.ENDPOINT).netloc
    cache_variable = "set HF_ENDPOINT to a mirror or HF_HOME to a cache that has them"

    def cached(self) -> Path | None:
        """Return the file's path in the cache, or None where it is not there."""
        repository, revision = self._address()
        for name in self.names:
            found = try_to_load_from_cache(repository, name, revision=revision)
            if isinstance(found, str):
                return Path(found)
        return None

    def download(self) -> Path:
        """Fetch the file into the cache and return its path."""
        repository, revision = self._address()
        for name in self.names:
            # Asked first because `hf_hub_download` repeats a failing question for half a minute.
            try:
                get_hf_file_metadata(
                    hf_hub_url(repository, name, revision=revision), timeout=_PATIENCE
                )
            except RevisionNotFoundError:
                raise
            except EntryNotFoundError:
                continue
            return Path(hf_hub_download(repository, name, revision=revision))
        raise LookupError(f"the repository has no {' or '.join(self.names)}")

    def _address(self) -> tuple[str, str | None]:
        repository, _, revision = self.repository.partition("@")
        return repository, revision or None


@dataclass(frozen=True)
class WebFile:
    """A file with an address of its own, kept where torch.hub keeps them.

    Attributes:
        url: The address.
        checked: The name holds the first digits of the content's SHA-256, to be compared.
    """

    url: str
    checked: bool = False

    @property
    def server(self) -> str:
        """The server's name."""
        return urlsplit(self.url).netloc

    @property
    def cache_variable(self) -> str:
        """What to set to find the file elsewhere."""
        return f"set TORCH_HOME to a cache that has hub/checkpoints/{self._place().name}"

    def cached(self) -> Path | None:
        """Return the file's path in the cache, or None where it is not there."""
        place = self._place()
        return place if place.is_file() else None

    def download(self) -> Path:
        """Fetch the file into the cache and return its path."""
        place = self._place()
        # Asked first because torch.hub waits without limit.
        question = urllib.request.Request(self.url, method="HEAD")  # noqa: S310
        urllib.request.urlopen(question, timeout=_PATIENCE).close()  # noqa: S310
        place.parent.mkdir(parents=True, exist_ok=True)
        start = torch.hub.HASH_REGEX.search(place.name) if self.checked else None
        torch.hub.download_url_to_file(
            self.url, str(place), start.group(1) if start else None, progress=False
        )
        return place

    def _place(self) -> Path:
        name = Path(urllib.request.url2pathname(self.url)).name
        return Path(torch.hub.get_dir()) / "checkpoints" / name


def fetch(spec: str, remote: Remote) -> Path:
    """Return the path of the remote file, downloaded if it is not in the cache.

    Args:
        spec: The backbone, for the message.
        remote: Where its file is.

    Raises:
        BackboneError: The file cannot be had; the message names ways out.
    """
    try:
        return remote.cached() or remote.download()
    except Exception as error:  # The libraries below have no common base for their errors.
        raise BackboneError(
            f"cannot download the weights of {spec}",
            cause=_cause(error, remote.server),
            remedy=(
                f"Give a folder that has them (local-dir:PATH), {remote.cache_variable}, "
                "or choose another backbone (--random-weights does for a dry run)"
            ),
        ) from error


def _cause(error: Exception, server: str) -> str:
    """Return why a download failed, as a phrase."""
    for kind, phrase in _KNOWN.items():
        if isinstance(error, kind):
            return phrase
    lines = str(error).strip().splitlines() or [type(error).__name__]
    detail = lines[0].rstrip(".")
    if isinstance(error, urllib.error.HTTPError):
        return f"{server} answers {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"no connection to {server} ({error.reason})"
    # The Hub's client has had several HTTP libraries, with this base class in common.
    if any(base.__name__ == "TransportError" for base in type(error).__mro__):
        return f"no connection to {server} ({detail})"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full"
    return detail
