"""The sweep: heads trained on stored features across label budgets, leaving Runs."""

from featkit.sweep.design import BUDGETS, SweepDesign
from featkit.sweep.fitting import Sweep, fit

__all__ = ["BUDGETS", "Sweep", "SweepDesign", "fit"]
