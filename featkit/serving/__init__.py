"""Serving: a trained model behind a page."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from featkit.errors import UsageError

if TYPE_CHECKING:
    from featkit.serving._thumbnails import Thumbnails
    from featkit.serving.app import make_app
    from featkit.serving.limits import Limits
    from featkit.serving.running import LOOPBACK, run_server

__all__ = ["LOOPBACK", "Limits", "Thumbnails", "make_app", "run_server"]

_WHERE = {
    "LOOPBACK": "running",
    "Limits": "limits",
    "Thumbnails": "_thumbnails",
    "make_app": "app",
    "run_server": "running",
}


def __getattr__(name: str) -> object:
    """Import when first asked for: the processes that decode need none of it."""
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.{_WHERE[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("featkit"):
            raise
        raise UsageError(
            "serving a model",
            cause=f"it needs {error.name}, which is not installed",
            remedy="Install it: pip install 'featkit[serve]'",
        ) from error
