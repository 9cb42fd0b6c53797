from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from featkit.plans import merge_groups


def brute_force(group: list[str], pixel_hash: list[str]) -> list[str]:
    """Spread names until nothing changes."""
    name = list(group)
    changed = True
    while changed:
        changed = False
        for i in range(len(group)):
            for j in range(len(group)):
                same = group[i] == group[j] or (pixel_hash[i] and pixel_hash[i] == pixel_hash[j])
                if same and name[j] < name[i]:
                    name[i], changed = name[j], True
    return name


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["", *"12345678"]))))
def test_equals_brute_force(rows):
    group, pixel_hash = [row[0] for row in rows], [row[1] for row in rows]
    merged = merge_groups(np.array(group, dtype=np.str_), np.array(pixel_hash, dtype=np.str_))
    assert merged.tolist() == brute_force(group, pixel_hash)


def test_chains_are_followed():
    merged = merge_groups(np.array(list("cbbaad")), np.array(["1", "1", "2", "2", "", ""]))
    assert merged.tolist() == ["a", "a", "a", "a", "a", "d"]


def test_unknown_pixels_equal_nothing():
    group = np.array(["b", "a", "c"])
    assert merge_groups(group, np.array(["", "", ""])).tolist() == ["b", "a", "c"]
