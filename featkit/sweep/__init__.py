"""The sweep: heads trained on stored features across label budgets, leaving Runs."""

from featkit.sweep._views import ViewChoice
from featkit.sweep.fitting import Sweep, fit
from featkit.sweep.leakage import LEAKAGE_SPLITS, LeakageRuns, fit_leakage
from featkit.sweep.refitting import fine_tuned, refit

__all__ = [
    "LEAKAGE_SPLITS",
    "LeakageRuns",
    "Sweep",
    "ViewChoice",
    "fine_tuned",
    "fit",
    "fit_leakage",
    "refit",
]
