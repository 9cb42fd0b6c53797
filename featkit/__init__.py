"""featkit: which backbone, which classifier, how many labels, and is fine-tuning worth it?

The names below are loaded when they are first used, so that `import featkit` is instant.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from featkit.backbones import Backbone, list_backbones, load_backbone
    from featkit.comparison import Analysis, Comparison, analyse, compare, measure_leakage
    from featkit.data import Dataset, check_dataset, limit_dataset, load_dataset
    from featkit.data.download import download_dataset
    from featkit.doctor import examine
    from featkit.duplicates import find_duplicates, read_pairs
    from featkit.errors import FeatkitError
    from featkit.experiment import Design
    from featkit.features import FeatureExtractor, FeatureStore, extract
    from featkit.finetuning import finetune, recipe_for
    from featkit.heads import LightGBMHead, LinearHead, MLPHead, Views
    from featkit.inference import Predictor, export_model
    from featkit.models import TrainedModel
    from featkit.plans import Plan, make_plan
    from featkit.report import write_comparison, write_leakage, write_page
    from featkit.runs import Run, RunStore
    from featkit.serving import run_server
    from featkit.speed import bench
    from featkit.studies import load_study, run_study
    from featkit.sweep import fit, fit_leakage
    from featkit.tables import prediction_table, run_table, write_tables
    from featkit.tracking import track

__all__ = [
    "Analysis",
    "Backbone",
    "Comparison",
    "Dataset",
    "Design",
    "FeatkitError",
    "FeatureExtractor",
    "FeatureStore",
    "LightGBMHead",
    "LinearHead",
    "MLPHead",
    "Plan",
    "Predictor",
    "Run",
    "RunStore",
    "TrainedModel",
    "Views",
    "analyse",
    "bench",
    "check_dataset",
    "compare",
    "download_dataset",
    "examine",
    "export_model",
    "extract",
    "find_duplicates",
    "finetune",
    "fit",
    "fit_leakage",
    "limit_dataset",
    "list_backbones",
    "load_backbone",
    "load_dataset",
    "load_study",
    "make_plan",
    "measure_leakage",
    "prediction_table",
    "read_pairs",
    "recipe_for",
    "run_server",
    "run_study",
    "run_table",
    "track",
    "write_comparison",
    "write_leakage",
    "write_page",
    "write_tables",
]

_ROOMS = {
    "backbones": ("Backbone", "list_backbones", "load_backbone"),
    "comparison": ("Analysis", "Comparison", "analyse", "compare", "measure_leakage"),
    "data": ("Dataset", "check_dataset", "limit_dataset", "load_dataset"),
    "data.download": ("download_dataset",),
    "doctor": ("examine",),
    "duplicates": ("find_duplicates", "read_pairs"),
    "errors": ("FeatkitError",),
    "experiment": ("Design",),
    "features": ("FeatureExtractor", "FeatureStore", "extract"),
    "finetuning": ("finetune", "recipe_for"),
    "heads": ("LightGBMHead", "LinearHead", "MLPHead", "Views"),
    "inference": ("Predictor", "export_model"),
    "models": ("TrainedModel",),
    "plans": ("Plan", "make_plan"),
    "report": ("write_comparison", "write_leakage", "write_page"),
    "runs": ("Run", "RunStore"),
    "serving": ("run_server",),
    "speed": ("bench",),
    "studies": ("load_study", "run_study"),
    "sweep": ("fit", "fit_leakage"),
    "tables": ("prediction_table", "run_table", "write_tables"),
    "tracking": ("track",),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'featkit' has no attribute {name!r}")
    return getattr(import_module(f"featkit.{_ROOM_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
