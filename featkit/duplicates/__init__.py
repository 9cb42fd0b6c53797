"""Duplicates: one lesion photographed again under another id, found and confirmed."""

from featkit.duplicates.evidence import Evidence
from featkit.duplicates.finding import NEIGHBOURS, Duplicates, find_duplicates
from featkit.duplicates.pairs import DuplicatePair, read_pairs, write_pairs

__all__ = [
    "NEIGHBOURS",
    "DuplicatePair",
    "Duplicates",
    "Evidence",
    "find_duplicates",
    "read_pairs",
    "write_pairs",
]
