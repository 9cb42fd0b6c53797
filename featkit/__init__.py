"""featkit: which backbone, which classifier, how many labels, and is fine-tuning worth it?

The names below are loaded when they are first used, so that `import featkit` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from featkit.backbones import Backbone, list_backbones, load_backbone
    from featkit.comparison import Comparison, compare
    from featkit.data import Dataset, check_dataset, limit_dataset, load_dataset
    from featkit.errors import FeatkitError
    from featkit.experiment import Design
    from featkit.features import FeatureStore, extract
    from featkit.heads import LightGBMHead, LinearHead, MLPHead
    from featkit.plans import Plan, make_plan
    from featkit.report import write_comparison
    from featkit.runs import Run, RunStore
    from featkit.sweep import fit

__all__ = [
    "Backbone",
    "Comparison",
    "Dataset",
    "Design",
    "FeatkitError",
    "FeatureStore",
    "LightGBMHead",
    "LinearHead",
    "MLPHead",
    "Plan",
    "Run",
    "RunStore",
    "check_dataset",
    "compare",
    "extract",
    "fit",
    "limit_dataset",
    "list_backbones",
    "load_backbone",
    "load_dataset",
    "make_plan",
    "write_comparison",
]

_ROOMS = {
    "backbones": ("Backbone", "list_backbones", "load_backbone"),
    "comparison": ("Comparison", "compare"),
    "data": ("Dataset", "check_dataset", "limit_dataset", "load_dataset"),
    "errors": ("FeatkitError",),
    "experiment": ("Design",),
    "features": ("FeatureStore", "extract"),
    "heads": ("LightGBMHead", "LinearHead", "MLPHead"),
    "plans": ("Plan", "make_plan"),
    "report": ("write_comparison",),
    "runs": ("Run", "RunStore"),
    "sweep": ("fit",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'featkit' has no attribute {name!r}")
    return getattr(import_module(f"featkit.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
