"""Evaluation: metrics, intervals and paired comparisons as pure functions over arrays."""

from featkit.evaluate.auroc import one_vs_rest_auroc
from featkit.evaluate.bootstrap import interval, lesion_weights
from featkit.evaluate.calibration import class_calibration_error
from featkit.evaluate.calibrator import Calibrator, fit_calibrator
from featkit.evaluate.labels_needed import CannotSay, LabelsNeeded, labels_needed
from featkit.evaluate.learning_curve import LearningCurve, Prediction, fit_learning_curve
from featkit.evaluate.mcnemar import McNemar, mcnemar
from featkit.evaluate.metrics import METRICS, Metric, find_metric, scores
from featkit.evaluate.multiplicity import holm
from featkit.evaluate.paired import Difference, paired_difference
from featkit.evaluate.per_class import class_precision, class_recall, class_support
from featkit.evaluate.power_law import PowerLaw, fit_power_law
from featkit.evaluate.reliability import Reliability, reliability
from featkit.evaluate.sensitivity import sensitivity_at_specificity
from featkit.evaluate.temperature import apply_temperature, fit_temperature

__all__ = [
    "METRICS",
    "Calibrator",
    "CannotSay",
    "Difference",
    "LabelsNeeded",
    "LearningCurve",
    "McNemar",
    "Metric",
    "PowerLaw",
    "Prediction",
    "Reliability",
    "apply_temperature",
    "class_calibration_error",
    "class_precision",
    "class_recall",
    "class_support",
    "find_metric",
    "fit_calibrator",
    "fit_learning_curve",
    "fit_power_law",
    "fit_temperature",
    "holm",
    "interval",
    "labels_needed",
    "lesion_weights",
    "mcnemar",
    "one_vs_rest_auroc",
    "paired_difference",
    "reliability",
    "scores",
    "sensitivity_at_specificity",
]
