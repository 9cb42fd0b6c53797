"""Checks in a process of their own, so that none can take the others down."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from featkit.doctor.finding import Finding

__all__ = ["look_apart"]

PATIENCE_S = 180.0
"""Seconds until a check must say something: a cold import of torch from a network disk is slow."""


def look_apart(
    names: Sequence[str], out: Path, *, patience: float = PATIENCE_S
) -> Iterator[tuple[str, Finding | None]]:
    """Yield the findings of each check with its name, and None where it begins.

    Args:
        names: The checks.
        out: The folder that results will go to.
        patience: Seconds without an answer after which a check is given up.
    """
    left = list(names)
    while left:
        before = len(left)
        for name, finding in _tried(left, out, patience):
            if finding is None:
                left = left[left.index(name) + 1 :]
            yield name, finding
        if len(left) == before:  # not even the first one began
            left = left[1:]


def _tried(
    names: Sequence[str], out: Path, patience: float
) -> Iterator[tuple[str, Finding | None]]:
    """Yield what a process finds until it ends, and of what it died."""
    with tempfile.TemporaryFile() as errors:
        command = [sys.executable, "-P", "-m", "featkit.doctor._worker", str(out), *names]
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, env=_environment()
        )
        current, quiet = names[0], False
        try:
            for fact in _lines(process, patience):
                if fact is None:
                    quiet = True
                elif "begins" in fact:
                    current = fact["begins"]
                    yield current, None
                else:
                    yield current, Finding(**fact)
        finally:
            process.kill()
            code = process.wait()
        if quiet:
            remedy = "Look whether a disk or a device hangs; the other lines may say which"
            value = f"no answer within {patience:.0f} s"
            yield current, Finding(current, value, "bad", remedy)
        elif code:
            yield current, _death(current, code, errors)


def _environment() -> dict[str, str]:
    """Return this environment, in which the same featkit is found."""
    here = str(Path(__file__).parents[2])
    if here in {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}:
        return dict(os.environ)
    path = [each for each in (os.environ.get("PYTHONPATH"), here) if each]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


def _lines(process: subprocess.Popen[bytes], patience: float) -> Iterator[dict[str, Any] | None]:
    """Yield what a process says, and None, as the last, if it says nothing for too long."""
    told: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(process.stdout, told), daemon=True).start()
    while True:
        try:
            line = told.get(timeout=patience)
        except queue.Empty:
            yield None
            return
        if not line:
            process.wait()
            return
        yield json.loads(line)


def _listen(pipe: IO[bytes], told: queue.Queue[bytes]) -> None:
    for line in pipe:
        told.put(line)
    told.put(b"")


def _death(name: str, code: int, errors: IO[bytes]) -> Finding:
    errors.seek(0)
    lines = errors.read().decode(errors="replace").strip().splitlines()
    last = f": {lines[-1].strip()[:200]}" if lines else ""
    reason = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    remedy = "Reinstall the library that this names, or featkit in a fresh environment"
    return Finding(name, f"a library ended the process ({reason}){last}", "bad", remedy)
