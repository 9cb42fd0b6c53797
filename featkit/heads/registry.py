"""The heads by name, imported when asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module

from featkit.errors import UsageError
from featkit.heads.base import Head

__all__ = ["HEADS", "make_head"]


class _LazyHeads(Mapping[str, type[Head]]):
    """Head classes, each imported when it is first looked up: LightGBM and torch are heavy."""

    def __init__(self, places: Mapping[str, tuple[str, str]]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> type[Head]:
        module, attribute = self._places[name]
        head: type[Head] = getattr(import_module(module), attribute)
        return head

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


HEADS: Mapping[str, type[Head]] = _LazyHeads(
    {
        "linear": ("featkit.heads.linear", "LinearHead"),
        "lightgbm": ("featkit.heads.boosting", "LightGBMHead"),
        "mlp": ("featkit.heads.mlp", "MLPHead"),
    }
)
"""Every head by the name that the command line and Runs give it."""


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
    """
    if name not in HEADS:
        raise UsageError(
            f"head {name!r}",
            cause="there is no head of this name",
            remedy=f"Choose one of {', '.join(HEADS)}",
        )
    head = HEADS[name](imbalance=imbalance, random_state=seed, n_jobs=n_jobs)
    return head.set_params(device=device) if "device" in head.get_params() else head
