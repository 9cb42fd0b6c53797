"""What building a network does to the process around it, and how to undo it."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator

import torch
from huggingface_hub.utils.tqdm import (
    are_progress_bars_disabled,
    disable_progress_bars,
    enable_progress_bars,
)

__all__ = ["quiet", "seeded"]

_LIBRARIES = ("timm", "huggingface_hub")
_TENSORS_ONLY = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the libraries' notes from the terminal, and anything but tensors from being unpickled.

    What matters in the notes this room checks itself, and raises as an error.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        for logger in map(logging.getLogger, _LIBRARIES):
            stack.callback(logger.setLevel, logger.level)
            logger.setLevel(logging.CRITICAL)
        if not are_progress_bars_disabled():
            stack.callback(enable_progress_bars)
            disable_progress_bars()
        stack.callback(_set_variable, _TENSORS_ONLY, os.environ.get(_TENSORS_ONLY))
        _set_variable(_TENSORS_ONLY, "1")
        yield


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed torch's CPU generator, and put its state back at the end."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
