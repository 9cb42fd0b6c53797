"""Evidence that two photographs show one lesion, and when it suffices."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["NOTHING", "Evidence"]

LEAST_INLIERS = 10
"""Keypoints that must agree on the transform."""

LEAST_CORRELATION = 0.45
"""How alike the aligned photographs must be."""

LEAST_OVERLAP = 0.2
"""Share of the smaller photograph that both must show."""

LEAST_SPREAD = 8.0
"""Pixels; agreeing keypoints on a line (a hair, a ruler) or a spot (a reflex) prove nothing."""

LARGEST_ZOOM = 4.0
"""Beyond it, a transform is a coincidence: dermatoscopes do not zoom so far."""


@dataclass(frozen=True)
class Evidence:
    """What the geometry of two photographs says.

    Attributes:
        inliers: Keypoints that agree on one transform from the second to the first.
        correlation: Of the lightness structures of the aligned photographs, -1 to 1.
        overlap: Share of the smaller photograph that both show, 0 to 1.
        spread: Least standard deviation of the agreeing keypoints' places, in pixels of a
            photograph whose longer side is 400.
        scale: Magnification of the second photograph, both brought to one length.
        rotation: Its turn, counter-clockwise as seen, in degrees; after the mirroring.
        mirrored: Whether left and right were exchanged.
    """

    inliers: int
    correlation: float
    overlap: float
    spread: float
    scale: float
    rotation: float
    mirrored: bool

    @property
    def strength(self) -> float:
        """Orders evidence: agreeing keypoints, weighted by the correlation."""
        return self.inliers * max(self.correlation, 0.0)

    @property
    def confirmed(self) -> bool:
        """Whether it suffices to call the two one lesion."""
        return (
            self.inliers >= LEAST_INLIERS
            and self.correlation >= LEAST_CORRELATION
            and self.overlap >= LEAST_OVERLAP
            and self.spread >= LEAST_SPREAD
            and 1 / LARGEST_ZOOM <= self.scale <= LARGEST_ZOOM
        )


NOTHING = Evidence(
    inliers=0, correlation=0.0, overlap=0.0, spread=0.0, scale=1.0, rotation=0.0, mirrored=False
)
"""Two photographs without anything in common."""
