"""Groups widened by duplicates: lesions that share an image are one lesion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

__all__ = ["merge_groups"]


def merge_groups(
    group: NDArray[np.str_],
    image_hash: NDArray[np.str_],
    *,
    image_id: NDArray[np.str_] | None = None,
    duplicates: Sequence[tuple[str, str]] = (),
) -> NDArray[np.str_]:
    """Give one name to all groups that duplicates connect, directly or through others.

    Args:
        group: Group of each image, shape (N,).
        image_hash: What equals where two images are one, shape (N,); "" = unknown, equals nothing.
        image_id: Distinct ids, shape (N,); needed where there are pairs.
        duplicates: Pairs of ids of images that show one lesion. An id that is not in `image_id`
            may still connect two others.

    Returns:
        Merged group of each image, shape (N,): the first name, in alphabetical order, of those
        that were merged.
    """
    names, group_index = np.unique(group, return_inverse=True)
    hashes, hash_index = np.unique(image_hash, return_inverse=True)
    paired = np.array(duplicates, dtype=np.str_).reshape(-1, 2)
    ids, id_index = np.unique(paired, return_inverse=True)
    id_index = id_index.reshape(-1, 2)
    # A graph of groups, hashes and paired ids: an image is an edge from its group to its hash,
    # and to its id; a pair is an edge between ids.
    known = image_hash != ""
    present, row = _where(ids, image_id)
    start = len(names) + len(hashes)
    rows = [group_index[known], group_index[row], start + id_index[:, 0]]
    columns = [len(names) + hash_index[known], start + present, start + id_index[:, 1]]
    size = start + len(ids)
    edges = (np.concatenate(rows), np.concatenate(columns))
    graph = coo_array((np.ones(len(edges[0]), dtype=np.int8), edges), shape=(size, size))
    component = connected_components(graph, directed=False)[1][: len(names)]
    # The names are sorted, so the first of each component is its alphabetical minimum.
    _, first, inverse = np.unique(component, return_index=True, return_inverse=True)
    merged: NDArray[np.str_] = names[first[inverse]][group_index]
    return merged


def _where(
    ids: NDArray[np.str_], image_id: NDArray[np.str_] | None
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return which of the ids are in the table, and the rows that they have there."""
    if image_id is None:
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp)
    _, present, row = np.intersect1d(ids, image_id, assume_unique=True, return_indices=True)
    return present, row
