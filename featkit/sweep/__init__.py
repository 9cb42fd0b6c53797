"""The sweep: heads trained on stored features across label budgets, leaving Runs."""

from featkit.sweep._views import ViewChoice
from featkit.sweep.fitting import Sweep, fit
from featkit.sweep.leakage import LEAKAGE_SPLITS, LeakageRuns, fit_leakage

__all__ = ["LEAKAGE_SPLITS", "LeakageRuns", "Sweep", "ViewChoice", "fit", "fit_leakage"]
