"""Describe the machine that the reference study runs on, as JSON on stdout."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path


def describe() -> dict[str, object]:
    """Return what figures depend on besides the code."""
    cpu = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(": ", 1)[1] for line in cpu if line.startswith("model name")), "")
    flags = next((line.split() for line in cpu if line.startswith("flags")), [])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": model or platform.processor(),
        "cores": len(os.sched_getaffinity(0)),
        "avx512_bf16": "avx512_bf16" in flags,
        "memory_gib": round(memory / 2**30),
        "gpu": None,
        "python": platform.python_version(),
        "versions": {
            name: version(name)
            for name in ("featkit", "torch", "torchvision", "timm", "scikit-learn", "lightgbm")
        },
    }


def main() -> None:
    print(json.dumps(describe(), indent=1))


if __name__ == "__main__":
    main()
