"""Caches: where weights and indexes are kept, how much they hold, whether they can be added to."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from featkit.doctor._disk import nearest
from featkit.doctor.finding import Finding, said
from featkit.files import cache_folder

__all__ = ["caches"]

_PATIENCE_S = 3.0
"""Seconds to add up files: a cache on a network disk may have millions."""


def caches(out: Path) -> Iterator[Finding]:
    """Look at the caches of the Hugging Face Hub, of torch.hub and of featkit."""
    yield _cache("cache of featkit", cache_folder(), "XDG_CACHE_HOME")
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        yield Finding(
            "Hugging Face Hub",
            "HF_HUB_OFFLINE: weights that are not in the cache are not fetched",
            "warn",
            "Unset HF_HUB_OFFLINE to fetch weights",
        )
    yield _cache("cache of the Hugging Face Hub", Path(constants.HF_HUB_CACHE), "HF_HOME")
    import torch

    yield _cache("cache of torch.hub", Path(torch.hub.get_dir()), "TORCH_HOME")


def _cache(name: str, folder: Path, variable: str) -> Finding:
    remedy = f"Set {variable} to a folder that can be written"
    try:
        place = nearest(folder)
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return Finding(name, f"{folder} cannot be added to ({said(error)})", "warn", remedy)
    if not folder.exists():
        return Finding(name, f"{folder}, not made yet")
    size, whole = _size(folder)
    return Finding(name, f"{folder}, {'' if whole else 'more than '}{size / 1e6:,.0f} MB")


def _size(folder: Path) -> tuple[int, bool]:
    """Return the bytes of all files below a folder, each counted once, and whether that is all."""
    until, seen, size = time.monotonic() + _PATIENCE_S, set(), 0
    for here, _, names in os.walk(folder):
        for name in names:
            try:
                facts = os.lstat(os.path.join(here, name))  # noqa: PTH118
            except OSError:
                continue
            if (facts.st_dev, facts.st_ino) not in seen:
                seen.add((facts.st_dev, facts.st_ino))
                size += facts.st_size
        if time.monotonic() > until:
            return size, False
    return size, True
