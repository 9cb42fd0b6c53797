"""The checks, in the order in which they are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from featkit.doctor.finding import Check, Finding, said
from featkit.errors import FeatkitError

__all__ = ["CHECKS", "run_check"]

CHECKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "Python": ("_software", "python"),
        "libraries": ("_software", "libraries"),
        "devices": ("_devices", "devices"),
        "cores": ("_cores", "cores"),
        "threads": ("_cores", "threads"),
        "memory": ("_memory", "memory"),
        "disk": ("_disk", "space"),
        "write access": ("_disk", "writing"),
        "caches": ("_caches", "caches"),
        "decoders": ("_decoders", "decoders"),
        "extras": ("_software", "extras"),
    }
)
"""Of each check its module and its function, so that none is imported before its turn."""


def run_check(name: str, out: Path) -> Iterator[Finding]:
    """Yield what a check finds; where it fails itself, that is one more finding."""
    module, function = CHECKS[name]
    try:
        check: Check = getattr(import_module(f"featkit.doctor.{module}"), function)
        yield from check(out)
    except (Exception, SystemExit) as error:  # a doctor does not die of a patient's illness
        if isinstance(error, FeatkitError):
            yield Finding(name, f"{error.what}: {error.cause}", "bad", error.remedy)
            return
        remedy = "Mend the library that this names (see the lines above), and look again"
        yield Finding(name, f"cannot be looked at ({said(error)})", "bad", remedy)
