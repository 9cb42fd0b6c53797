"""What figures depend on besides the code: hardware, versions, date."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["describe_machine"]

_PACKAGES = (
    "featkit",
    "torch",
    "torchvision",
    "timm",
    "scikit-learn",
    "lightgbm",
    "numpy",
    "pillow",
    "simplejpeg",
    "opencv-python-headless",
)

_INTERESTING = ("avx2", "avx512f", "avx512_bf16", "avx512_vnni", "amx_bf16")


def describe_machine() -> dict[str, object]:
    """Return the machine, the versions of what is measured, and the date, JSON-like."""
    facts = _cpu_facts()
    flags = facts.get("flags", "").split()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "cpu": facts.get("model name") or platform.processor() or platform.machine(),
        "cores": _cores(),
        "cpu_features": [name for name in _INTERESTING if name in flags],
        "memory_gib": round(memory / 2**30),
        "gpu": _gpu(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "versions": {name: found for name in _PACKAGES if (found := _version(name))},
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _cpu_facts() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    first = path.read_text().split("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in first)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _gpu() -> str | None:
    """Return the GPUs' names without importing torch, which would keep their memory."""
    query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
    try:
        found = subprocess.run(query, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    return "; ".join(found.stdout.strip().splitlines()) or None


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
