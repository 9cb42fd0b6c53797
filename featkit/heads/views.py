"""Views: how many stored views of an image a head learns from, and averages over."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PLAIN", "Views"]


@dataclass(frozen=True)
class Views:
    """What is done with the stored views of an image, of which the first is the plain image.

    Attributes:
        train: How many are trained on, the first ones; each counts 1 / `train` of an image.
        test: Over how many a prediction is averaged, the first ones (test-time augmentation).
    """

    train: int = 1
    test: int = 1

    @property
    def needed(self) -> int:
        """How many views an image must have."""
        return max(self.train, self.test)

    @property
    def suffix(self) -> str:
        """What the name of a method ends with: nothing, `+views`, `+tta` or `+views+tta`."""
        return ("+views" if self.train > 1 else "") + ("+tta" if self.test > 1 else "")

    def identity(self) -> dict[str, int]:
        """Return, JSON-like, what differs from the plain image alone: nothing where it is used."""
        counts = {"views": self.train, "tta": self.test}
        return {name: count for name, count in counts.items() if count > 1}


PLAIN = Views()
"""The unchanged image alone."""
