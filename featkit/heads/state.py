"""A trained head as plain data: options, arrays or text, and nothing that could run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featkit.errors import ModelError, UsageError
from featkit.heads.base import Head
from featkit.heads.registry import HEADS

__all__ = ["HeadState", "head_of", "state_of"]

_MACHINE = frozenset({"n_jobs", "device"})
"""Options that were right for the machine that trained: another one has its defaults."""


@dataclass(frozen=True, eq=False)
class HeadState:
    """What a trained head is made of.

    Attributes:
        kind: Its name in `HEADS`.
        options: What it was made with, JSON-like.
        classes: The class labels that it tells apart, whole numbers, ascending.
        features: Feature dimension D.
        chosen: What it chose inside `fit`, JSON-like.
        parameters: Numbers that training set.
        arrays: Its arrays by name; {} where it is kept as text.
        text: Its trees in LightGBM's own format; "" where it is kept as arrays.
    """

    kind: str
    options: Mapping[str, Any]
    classes: tuple[int, ...]
    features: int
    chosen: Mapping[str, Any] = field(default_factory=dict)
    parameters: int = 0
    arrays: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    text: str = ""


def state_of(kind: str, head: Head) -> HeadState:
    """Return a trained head as plain data.

    Args:
        kind: Its name in `HEADS`.
        head: Trained on labels that are whole numbers.
    """
    arrays, text = head.kept()
    return HeadState(
        kind=kind,
        options=head.get_params(),
        classes=tuple(int(label) for label in head.classes_),
        features=head.n_features_in_,
        chosen=dict(head.chosen_),
        parameters=head.n_parameters_,
        arrays=arrays,
        text=text,
    )


def head_of(state: HeadState) -> Head:
    """Return the head of which `state` is, which predicts what that one predicted.

    Nothing in `state` is trusted: names, shapes, numbers and the structure of trees are checked
    before the head has them.

    Raises:
        ModelError: There is no head of its kind here.
        PluginError: Its head is one that another distribution adds, and does not work.
        ValueError: It is not the state of such a head; the message says why.
    """
    if state.kind not in HEADS:
        raise ModelError(
            f"there is no head {state.kind!r}",
            cause="the model was made with one that another distribution added, if it is no fake",
            remedy=f"Install what adds it; there are {', '.join(HEADS)}",
        )
    kind = HEADS[state.kind]
    strange = sorted(set(state.options) - set(kind().get_params()))
    if strange:
        raise ValueError(f"a {state.kind} head has no option {strange[0]!r}")
    options = {name: _listed(value) for name, value in state.options.items()}
    head = kind(**{name: value for name, value in options.items() if name not in _MACHINE})
    try:
        head.check_options()
    except (UsageError, TypeError) as error:
        raise ValueError(f"its options cannot be meant: {error}") from error
    labels = list(state.classes)
    if len(labels) < 2 or labels != sorted(set(labels)) or labels[0] < 0:
        raise ValueError("its classes are not two or more different whole numbers, ascending")
    if state.features < 1:
        raise ValueError(f"it takes {state.features} features")
    head.classes_ = np.array(labels)
    head.n_features_in_ = state.features
    head.restore(state.arrays, state.text)
    head.chosen_, head.n_parameters_ = dict(state.chosen), state.parameters
    head.held_out_ = None
    return head


def _listed(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
