"""The heads by name, imported when asked for."""

from __future__ import annotations

from inspect import isabstract
from typing import Any

from featkit.errors import UsageError
from featkit.heads.base import Head
from featkit.plugins import Registry

__all__ = ["HEADS", "find_head", "make_head"]

_OPTIONS = ("imbalance", "inner_splits", "n_jobs", "random_state")
"""What every head takes."""


def _head(name: str, kind: Any) -> type[Head]:
    if not (isinstance(kind, type) and issubclass(kind, Head)) or isabstract(kind):
        raise TypeError("it is no class of heads that can be trained")
    missing = sorted(set(_OPTIONS) - set(kind().get_params()))
    if missing:
        raise TypeError(f"{kind.__name__} lacks the options {', '.join(missing)}")
    return kind


HEADS: Registry[type[Head]] = Registry(
    "featkit.heads",
    "head",
    {
        "linear": "featkit.heads.linear:LinearHead",
        "lightgbm": "featkit.heads.boosting:LightGBMHead",
        "mlp": "featkit.heads.mlp:MLPHead",
    },
    _head,
)
"""Every head by the name that the command line and Runs give it."""


def find_head(name: str) -> type[Head]:
    """Return the class of a head.

    Args:
        name: A name in `HEADS`.

    Raises:
        UsageError: There is no such head.
        PluginError: It is one that another distribution adds, and does not work.
    """
    if name not in HEADS:
        raise UsageError(
            f"head {name!r}",
            cause="there is no head of this name",
            remedy=f"Choose one of {', '.join(HEADS)}, or install what adds it",
        )
    return HEADS[name]


def make_head(
    name: str,
    *,
    imbalance: str = "weights",
    seed: int = 0,
    n_jobs: int = 1,
    device: str = "cpu",
) -> Head:
    """Return an untrained head.

    Args:
        name: A name in `HEADS`.
        imbalance: "weights", "none" or "oversample".
        seed: Seed of all that is random in it.
        n_jobs: Threads.
        device: Where it is trained, if it can be trained elsewhere than on the CPU.

    Raises:
        UsageError: There is no such head.
        PluginError: It is one that another distribution adds, and does not work.
    """
    head = find_head(name)(imbalance=imbalance, random_state=seed, n_jobs=n_jobs)
    return head.set_params(device=device) if "device" in head.get_params() else head
