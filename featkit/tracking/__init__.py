"""Runs on an MLflow server, or in a database of MLflow's on this machine."""

from featkit.tracking.tracking import DEFAULT_URI, Tracked, track

__all__ = ["DEFAULT_URI", "Tracked", "track"]
