"""Evaluation: metrics, intervals and paired comparisons as pure functions over arrays."""

from featkit.evaluate.auroc import one_vs_rest_auroc
from featkit.evaluate.bootstrap import interval, lesion_weights
from featkit.evaluate.metrics import METRICS, Metric, find_metric, scores
from featkit.evaluate.multiplicity import holm
from featkit.evaluate.paired import Difference, paired_difference
from featkit.evaluate.per_class import class_precision, class_recall, class_support
from featkit.evaluate.sensitivity import sensitivity_at_specificity

__all__ = [
    "METRICS",
    "Difference",
    "Metric",
    "class_precision",
    "class_recall",
    "class_support",
    "find_metric",
    "holm",
    "interval",
    "lesion_weights",
    "one_vs_rest_auroc",
    "paired_difference",
    "scores",
    "sensitivity_at_specificity",
]
