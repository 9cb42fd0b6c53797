"""Groups widened by duplicates: lesions that share an image are one lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["merge_groups"]


def merge_groups(group: NDArray[np.str_], pixel_hash: NDArray[np.str_]) -> NDArray[np.str_]:
    """Give one name to all groups that duplicates connect, directly or through others.

    Args:
        group: Group of each image, shape (N,).
        pixel_hash: What equals where two images are one, shape (N,); "" = unknown, equals nothing.

    Returns:
        Merged group of each image, shape (N,): the first name, in alphabetical order, of those
        that were merged.
    """
    names, group_index = np.unique(group, return_inverse=True)
    hashes, hash_index = np.unique(pixel_hash, return_inverse=True)
    known = pixel_hash != ""
    # A graph of groups and hashes: an image is an edge between its group and its hash.
    rows, columns = group_index[known], len(names) + hash_index[known]
    size = len(names) + len(hashes)
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(names)]
    # The names are sorted, so the first of each component is its alphabetical minimum.
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    merged: NDArray[np.str_] = names[first[inverse]][group_index]
    return merged
