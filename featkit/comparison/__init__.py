"""The comparison: Runs in, scores with intervals, paired differences and analyses out."""

from featkit.comparison._honesty import CalibrationScores, ReliabilityCurve
from featkit.comparison.analysis import Analysis, analyse
from featkit.comparison.calibration import Calibration
from featkit.comparison.comparing import compare
from featkit.comparison.comparison import (
    CellResult,
    ClassResult,
    Comparison,
    DifferenceResult,
    Estimate,
)
from featkit.comparison.confusion import ConfusionMatrix
from featkit.comparison.contrasts import Contrast, Crossing, FrozenAgainstFinetuned, LesionTest
from featkit.comparison.evidence import Evidence
from featkit.comparison.frozen_against_finetuned import frozen_against_finetuned
from featkit.comparison.gathering import Grid, gather
from featkit.comparison.headline import Headline, untested_note
from featkit.comparison.laws import LearningLaw, LesionsNeeded, check_target, lesions_needed
from featkit.comparison.leakage import Leakage, LeakageOfClass, LeakageScore, LeakyTraining
from featkit.comparison.measuring_leakage import measure_leakage
from featkit.comparison.mistakes import HardImage, Mistake, Mistakes
from featkit.comparison.pareto import Pareto, ParetoPoint
from featkit.comparison.recovery import Recovery
from featkit.comparison.subgroups import Subgroup, SubgroupScores

__all__ = [
    "Analysis",
    "Calibration",
    "CalibrationScores",
    "CellResult",
    "ClassResult",
    "Comparison",
    "ConfusionMatrix",
    "Contrast",
    "Crossing",
    "DifferenceResult",
    "Estimate",
    "Evidence",
    "FrozenAgainstFinetuned",
    "Grid",
    "HardImage",
    "Headline",
    "Leakage",
    "LeakageOfClass",
    "LeakageScore",
    "LeakyTraining",
    "LearningLaw",
    "LesionTest",
    "LesionsNeeded",
    "Mistake",
    "Mistakes",
    "Pareto",
    "ParetoPoint",
    "Recovery",
    "ReliabilityCurve",
    "Subgroup",
    "SubgroupScores",
    "analyse",
    "check_target",
    "compare",
    "frozen_against_finetuned",
    "gather",
    "lesions_needed",
    "measure_leakage",
    "untested_note",
]
