from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from featkit_cli.main import _run


@dataclass(frozen=True)
class Done:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


@pytest.fixture
def featkit(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """Return a runner of the real command line in this process: `featkit("data", "info", …)`."""

    def run(*arguments: object) -> Done:
        monkeypatch.setattr(sys, "argv", ["featkit", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "200")
        capfd.readouterr()
        code = _run()
        out, err = capfd.readouterr()
        return Done(code, out, err)

    return run


@pytest.fixture
def start() -> Callable[..., subprocess.Popen[str]]:
    """Return a starter of the command line in a process of its own, which Ctrl-C reaches."""

    def run(*arguments: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "featkit_cli", *map(str, arguments)],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            preexec_fn=_listen,  # noqa: PLW1509
        )

    return run


def _listen() -> None:
    """Mind Ctrl-C, which a background job's children would ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
