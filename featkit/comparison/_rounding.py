"""Numbers in sentences."""

from __future__ import annotations

__all__ = ["two_digits"]


def two_digits(value: float) -> str:
    """Return a number above 0 with two digits that count: `0.35`, `12`, `1,234`."""
    # From 99.5 on the format would turn to powers of ten: 1e+02.
    return f"{value:,.0f}" if value >= 99.5 else f"{value:.2g}"
