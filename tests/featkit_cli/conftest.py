from __future__ import annotations

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
