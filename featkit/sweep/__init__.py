"""The sweep: heads trained on stored features across label budgets, leaving Runs."""

from featkit.sweep.fitting import Sweep, fit

__all__ = ["Sweep", "fit"]
