"""Stable identities: SHA-256 over values, the same on every machine and version."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

__all__ = ["fingerprint", "stable_order", "stable_seed"]


def fingerprint(*parts: object) -> str:
    """Return the SHA-256 (64 hex digits) of JSON-like values and NumPy arrays.

    Args:
        *parts: Values that `json.dumps` takes, bytes, or arrays. Arrays count with their shape;
            string arrays count by content, whatever their item size.
    """
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, np.ndarray):
            if part.dtype.kind in "US":
                data = json.dumps([str(item) for item in part.ravel()]).encode()
            else:
                data = np.ascontiguousarray(part).tobytes()
            header = f"array{part.shape}{part.dtype.kind}".encode()
        elif isinstance(part, bytes):
            header, data = b"bytes", part
        else:
            header, data = b"json", json.dumps(part, sort_keys=True).encode()
        digest.update(header + len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def stable_seed(*parts: object) -> int:
    """Return a 32-bit seed that depends on the values alone."""
    return int(fingerprint(*parts)[:8], 16)


def stable_order(keys: Iterable[str], *salt: object) -> NDArray[np.intp]:
    """Return a pseudo-random order of the keys, by the SHA-256 of each key and the salt.

    Unlike a generator's permutation it depends neither on the keys' order nor on NumPy's version:
    a key keeps its place relative to all others when some are added or removed.

    Args:
        keys: Distinct strings.
        *salt: What the order depends on besides (seed, fold, draw).

    Returns:
        Indices into the keys, shape (len(keys),).
    """
    prefix = json.dumps(salt).encode()
    digests = [hashlib.sha256(prefix + b"\0" + key.encode()).digest() for key in keys]
    return np.array(sorted(range(len(digests)), key=digests.__getitem__), dtype=np.intp)
