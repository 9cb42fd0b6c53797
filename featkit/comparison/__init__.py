"""The comparison: Runs in, scores with intervals and paired differences out."""

from featkit.comparison.comparing import compare
from featkit.comparison.comparison import (
    CellResult,
    ClassResult,
    Comparison,
    DifferenceResult,
    Estimate,
)
from featkit.comparison.gathering import Grid, gather

__all__ = [
    "CellResult",
    "ClassResult",
    "Comparison",
    "DifferenceResult",
    "Estimate",
    "Grid",
    "compare",
    "gather",
]
