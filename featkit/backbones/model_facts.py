"""What the folder of a network that featkit fine-tuned says beyond timm's own files."""

from __future__ import annotations

import json
from pathlib import Path

from featkit.errors import BackboneError

__all__ = ["MODEL_FACTS", "images_seen"]

MODEL_FACTS = "featkit.json"
"""The file's name."""


def images_seen(folder: Path) -> tuple[str, ...] | None:
    """Return the images that a network was fine-tuned on, of which only featkit's own tell.

    Args:
        folder: In timm's format.

    Returns:
        Hashes of their pixels and files; None where the folder says nothing.

    Raises:
        BackboneError: The file is damaged, so that nobody knows.
    """
    path = folder / MODEL_FACTS
    if not path.is_file():
        return None
    try:
        seen = json.loads(path.read_bytes())["trained_on"]
        if not (isinstance(seen, list) and all(isinstance(each, str) for each in seen)):
            raise TypeError("trained_on holds something else than hashes")
    except (ValueError, KeyError, TypeError) as error:
        raise BackboneError(
            f"cannot read {path}",
            cause=f"it does not say which images the network was trained on ({error!r})",
            remedy="Fetch the folder again, or save the model again with --save-models",
        ) from error
    return tuple(seen)
