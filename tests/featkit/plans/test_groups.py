from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from featkit.plans import merge_groups


def brute_force(group: list[str], image_hash: list[str]) -> list[str]:
    """Spread names until nothing changes."""
    name = list(group)
    changed = True
    while changed:
        changed = False
        for i in range(len(group)):
            for j in range(len(group)):
                same = group[i] == group[j] or (image_hash[i] and image_hash[i] == image_hash[j])
                if same and name[j] < name[i]:
                    name[i], changed = name[j], True
    return name


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["", *"12345678"]))))
def test_equals_brute_force(rows):
    group, image_hash = [row[0] for row in rows], [row[1] for row in rows]
    merged = merge_groups(np.array(group, dtype=np.str_), np.array(image_hash, dtype=np.str_))
    assert merged.tolist() == brute_force(group, image_hash)


def test_chains_are_followed():
    merged = merge_groups(np.array(list("cbbaad")), np.array(["1", "1", "2", "2", "", ""]))
    assert merged.tolist() == ["a", "a", "a", "a", "a", "d"]


def test_unknown_pixels_equal_nothing():
    group = np.array(["b", "a", "c"])
    assert merge_groups(group, np.array(["", "", ""])).tolist() == ["b", "a", "c"]


@given(
    st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 15), st.integers(0, 15)), max_size=8),
)
def test_pairs_equal_brute_force(group, pairs):
    # Pairs also name images that the table lacks: those from len(group) on.
    everyone = group + [f"absent{number}" for number in range(len(group), 16)]
    name = list(everyone)
    for _ in everyone:
        for i in range(len(name)):
            for j in range(len(name)):
                if everyone[i] == everyone[j] or (i, j) in pairs or (j, i) in pairs:
                    name[i] = name[j] = min(name[i], name[j])
    ids = [f"I{number}" for number in range(len(everyone))]
    merged = merge_groups(
        np.array(group, dtype=np.str_),
        np.full(len(group), ""),
        image_id=np.array(ids[: len(group)]),
        duplicates=[(ids[i], ids[j]) for i, j in pairs],
    )
    expected, found = name[: len(group)], merged.tolist()
    assert [expected.index(one) for one in expected] == [found.index(one) for one in found]
    assert set(found) <= set(group)


def test_pairs_and_pixels_work_together():
    merged = merge_groups(
        np.array(["d", "c", "b", "a"]),
        np.array(["1", "1", "", ""]),
        image_id=np.array(["I0", "I1", "I2", "I3"]),
        duplicates=[("I1", "I2"), ("I3", "nowhere")],
    )
    assert merged.tolist() == ["b", "b", "b", "a"]


def test_an_absent_image_connects_two_others():
    merged = merge_groups(
        np.array(["b", "a"]),
        np.array(["", ""]),
        image_id=np.array(["I0", "I1"]),
        duplicates=[("I0", "gone"), ("gone", "I1")],
    )
    assert merged.tolist() == ["a", "a"]
