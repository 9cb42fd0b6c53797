"""Trees in LightGBM's text format, read with suspicion: its own parser trusts what it is given.

LightGBM's parser is C++ that follows offsets, feature numbers and children without looking. So
trees from a file are taken apart here, checked, and written anew from the checked values alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["checked_trees"]

_MOST_LEAVES = 1 << 16
_MOST_TREES = 1 << 20
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,8})")
_NUMBER = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,3})?")
_LARGEST = 1e300
"""Of thresholds and leaf values."""

_KINDS_OF_SPLIT = {"0", "2", "4", "6", "8", "10"}
"""Numeric splits: LightGBM's bits for missing values, without the one for categories."""


def checked_trees(text: str, *, features: int, classes: int) -> str:
    """Return a multiclass model of numeric trees that predicts what `text` does.

    Args:
        text: As `Booster.model_to_string` returns it.
        features: Feature dimension D.
        classes: Number of classes C.

    Raises:
        ValueError: It is no such model; the message says why.
    """
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    if "\nend of trees" not in text:
        raise ValueError("the model is cut short")
    _check_header(_fields(head.splitlines()), features=features, classes=classes)
    if len(blocks) > _MOST_TREES or len(blocks) % classes:
        raise ValueError(f"{len(blocks)} trees are not some for each of {classes} classes")
    trees = (_checked_tree(block.splitlines()[1:], features) for block in blocks)
    return "\n".join([*_header(features, classes), *_numbered(trees), "end of trees", ""])


def _fields(lines: Iterable[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if "=" in line)
    return {name: value for name, _, value in pairs}


def _check_header(found: Mapping[str, str], *, features: int, classes: int) -> None:
    wanted = {
        "num_class": str(classes),
        "num_tree_per_iteration": str(classes),
        "max_feature_idx": str(features - 1),
        "objective": f"multiclass num_class:{classes}",
    }
    for name, value in wanted.items():
        if found.get(name) != value:
            raise ValueError(f"the model says {name}={found.get(name, '')}, not {value}")


def _header(features: int, classes: int) -> list[str]:
    return [
        "tree",
        "version=v4",
        f"num_class={classes}",
        f"num_tree_per_iteration={classes}",
        "label_index=0",
        f"max_feature_idx={features - 1}",
        f"objective=multiclass num_class:{classes}",
        "feature_names=" + " ".join(f"Column_{number}" for number in range(features)),
        "feature_infos=" + " ".join(["none"] * features),
        "",
    ]


def _numbered(trees: Iterable[Sequence[str]]) -> Iterator[str]:
    for number, lines in enumerate(trees):
        yield f"Tree={number}"
        yield from lines
        yield ""
        yield ""


def _checked_tree(lines: Sequence[str], features: int) -> list[str]:
    """Return the lines of one tree, those that prediction needs."""
    found = _fields(lines)
    leaves = _whole(found.get("num_leaves", ""), 1, _MOST_LEAVES)
    if found.get("num_cat", "0") != "0" or found.get("is_linear", "0") != "0":
        raise ValueError("a tree has categories or linear leaves, which featkit's heads have not")
    splits = leaves - 1
    values = {"leaf_value": _numbers(found, "leaf_value", leaves)}
    if splits:
        kinds = _several(found, "decision_type", splits)
        if not _KINDS_OF_SPLIT.issuperset(kinds):
            raise ValueError("a tree splits in a way that is not known")
        columns = _several(found, "split_feature", splits)
        for number in columns:
            _whole(number, 0, features - 1)
        left, right = (_several(found, name, splits) for name in ("left_child", "right_child"))
        _check_shape(left, right, leaves)
        values |= {
            "split_feature": columns,
            "threshold": _numbers(found, "threshold", splits),
            "decision_type": kinds,
            "left_child": left,
            "right_child": right,
        }
    shrinkage = _numbers({"shrinkage": found.get("shrinkage", "1")}, "shrinkage", 1)
    kept = {"num_leaves": [str(leaves)], "num_cat": ["0"], **values, "is_linear": ["0"]}
    return [
        f"{name}={' '.join(tokens)}" for name, tokens in (kept | {"shrinkage": shrinkage}).items()
    ]


def _several(found: Mapping[str, str], name: str, count: int) -> list[str]:
    tokens = found.get(name, "").split()
    if len(tokens) != count:
        raise ValueError(f"a tree has {len(tokens)} of {name}, not {count}")
    return tokens


def _numbers(found: Mapping[str, str], name: str, count: int) -> list[str]:
    """Return numbers as Python writes them, which may not be as they were written."""
    tokens = _several(found, name, count)
    if not all(_NUMBER.fullmatch(token) for token in tokens):
        raise ValueError(f"a tree's {name} is no finite number")
    values = [float(token) for token in tokens]
    # A sum of as many trees as there may be is finite, too.
    if not all(abs(value) <= _LARGEST for value in values):
        raise ValueError(f"a tree's {name} is no finite number")
    return [repr(value) for value in values]


def _whole(token: str, least: int, most: int) -> int:
    # Python reads 1_1 as eleven, LightGBM as one and then nothing.
    if not _WHOLE.fullmatch(token):
        raise ValueError(f"a tree has {token[:40]!r} where a whole number is meant")
    number = int(token)
    if not least <= number <= most:
        raise ValueError(f"a tree has {token} where {least} to {most} can be meant")
    return number


def _check_shape(left: Sequence[str], right: Sequence[str], leaves: int) -> None:
    """Check that each split but the root and each leaf is the child of one earlier split.

    Splits are numbered in the order in which a tree grew, so a child's number is above its
    parent's. Then no walk from the root can end elsewhere than in a leaf.
    """
    children = set()
    for parent, pair in enumerate(zip(left, right, strict=True)):
        for token in pair:
            child = _whole(token, -leaves, leaves - 2)
            if 0 <= child <= parent:
                raise ValueError("a tree's splits go round in a circle")
            children.add(child)
    if len(children) != 2 * len(left):
        raise ValueError("a tree has a split or leaf with two parents")
