"""The process that looks: `python -m featkit.doctor._worker OUT CHECK...` writes a JSON line each.

It may die of a library that is broken below Python, or hang on a disk; its parent goes on.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

from featkit.doctor._checks import run_check

__all__: list[str] = []


def _main(out: Path, names: list[str]) -> None:
    # Whatever libraries print must not get between the lines.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answer:
        os.dup2(2, 1)
        for name in names:
            _tell(answer.fileno(), {"begins": name})
            for finding in run_check(name, out):
                _tell(answer.fileno(), asdict(finding))


def _tell(place: int, fact: dict[str, str]) -> None:
    os.write(place, json.dumps(fact).encode() + b"\n")


if __name__ == "__main__":
    _main(Path(sys.argv[1]), sys.argv[2:])
