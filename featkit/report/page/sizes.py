"""Sizes of charts in units of their view box: width and height."""

__all__ = ["MEDIUM", "NARROW", "SMALL", "WIDE"]

#: Alone in its row.
WIDE = (760, 420)
#: One of several.
MEDIUM = (480, 330)
#: On a telephone, or beside others on paper.
NARROW = (340, 300)
#: One of many.
SMALL = (340, 260)
