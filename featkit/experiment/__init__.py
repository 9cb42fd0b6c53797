"""What every method shares: the design, the table of images, the test sets, the output folder."""

from featkit.experiment.board import Board, Score, score_of
from featkit.experiment.design import BUDGETS, Cell, Design
from featkit.experiment.external import external_test
from featkit.experiment.folder import ExperimentFolder
from featkit.experiment.planning import fold_test, plan_of
from featkit.experiment.results import write_results
from featkit.experiment.seen import has_seen, refuse_seen
from featkit.experiment.table import ImageTable

__all__ = [
    "BUDGETS",
    "Board",
    "Cell",
    "Design",
    "ExperimentFolder",
    "ImageTable",
    "Score",
    "external_test",
    "fold_test",
    "has_seen",
    "plan_of",
    "refuse_seen",
    "score_of",
    "write_results",
]
