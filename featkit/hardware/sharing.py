"""Whether all machines of a cluster see the folder that results go to."""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from featkit.errors import StoreError

__all__ = ["SharedFolder", "shared"]


@dataclass(frozen=True)
class SharedFolder:
    """A folder with a token in it, while `shared` lasts.

    Attributes:
        path: The folder, absolute.
        token: The name of a file in it.
    """

    path: Path
    token: str

    def check(self) -> None:
        """Look for the token, and try to write.

        Raises:
            StoreError: This machine does not see the folder, or cannot write to it.
        """
        if not (self.path / self.token).exists():
            raise StoreError(
                f"{socket.gethostname()} does not see the folder {self.path}",
                cause="it is not on a file system that all machines of the cluster share",
                remedy="Give an --out in a folder that they all see under the same path",
            )
        probe = self.path / f"{self.token}-{socket.gethostname()}-{os.getpid()}"
        try:
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise StoreError(
                f"{socket.gethostname()} cannot write to {self.path}",
                cause=str(error.strerror),
                remedy="Give an --out in a folder that all machines of the cluster can write to",
            ) from error


@contextmanager
def shared(folder: Path) -> Iterator[SharedFolder]:
    """Put a token into a folder that exists, and take it away at the end."""
    found = SharedFolder(folder.absolute(), f".shared-{uuid.uuid4().hex}")
    token = found.path / found.token
    token.touch()
    try:
        yield found
    finally:
        for left in found.path.glob(f"{found.token}*"):
            left.unlink(missing_ok=True)
