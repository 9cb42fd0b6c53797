"""A contender in a process of its own: no shared imports, allocator, threads or caches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.contenders.stopwatch import BEGAN, MARK
from benchmarks.harness.measurement import Measurement
from featkit import FeatkitError

__all__ = ["ROOT", "Script", "run_command", "run_script"]

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds the package `benchmarks`."""

_LAST_WORDS = 1500
"""Characters of a failed script's output that its error repeats."""


@dataclass(frozen=True)
class Script:
    """A module of `benchmarks.contenders`, and what it is given.

    Attributes:
        module: Its name in that package.
        arguments: JSON-like; the script's only argument.
        python: The interpreter.
        environment: Variables beside those of this process.
    """

    module: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ended:
    """A process that has ended well."""

    said: str
    seconds: float
    core_seconds: float
    peak_mib: float


def run_script(script: Script) -> Measurement:
    """Run the script in a new process, and return what it says of itself.

    Raises:
        FeatkitError: It failed, or said nothing; the message ends with its last words.
    """
    module = f"benchmarks.contenders.{script.module}"
    command = [script.python, "-m", module, json.dumps(dict(script.arguments))]
    ended = _run(command, script.environment, name=script.module)
    lines = [line for line in ended.said.splitlines() if line.startswith(MARK)]
    if not lines:
        raise _failure(script.module, "it said nothing of what it measured", ended.said)
    told = {"peak_mib": ended.peak_mib, **json.loads(lines[-1].removeprefix(MARK))}
    return Measurement(process_seconds=ended.seconds, **told)


def run_command(
    command: Sequence[str], work: float, environment: Mapping[str, str] | None = None
) -> Measurement:
    """Run a command; all of it, from start to end, is the measured work.

    Args:
        command: The program and its arguments.
        work: How much it does.
        environment: Variables beside those of this process.

    Raises:
        FeatkitError: It failed.
    """
    ended = _run(command, environment or {}, name=Path(command[0]).name)
    return Measurement(
        work=work,
        seconds=ended.seconds,
        core_seconds=ended.core_seconds,
        process_seconds=ended.seconds,
        peak_mib=ended.peak_mib,
    )


def _run(command: Sequence[str], environment: Mapping[str, str], *, name: str) -> _Ended:
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, BEGAN: repr(time.time())},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            # wait4 and not Popen.wait: it tells what this process, and no other one, has used.
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        said = output.read()
    if process.returncode:
        raise _failure(name, f"it ended with code {process.returncode}", said)
    unit = 1 if sys.platform == "darwin" else 1024
    return _Ended(said, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 2**20)


def _failure(name: str, cause: str, said: str) -> FeatkitError:
    return FeatkitError(
        f"{name} could not be measured",
        cause=f"{cause}; its last words: {said[-_LAST_WORDS:].strip() or 'none'}",
        remedy="Run the benchmark with --quick to see it again soon",
    )
