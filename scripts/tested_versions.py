"""Keep `featkit/doctor/tested.json`: what of constraints.txt featkit uses itself.

    python scripts/tested_versions.py

Run it after every change of constraints.txt, or of the dependencies in pyproject.toml.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
TESTED = REPOSITORY / "featkit" / "doctor" / "tested.json"

#: Extras for work on featkit, not with it.
DEVELOPMENT = {"dev", "docs"}

PYTHON = "Programming Language :: Python :: "


def tested() -> dict[str, object]:
    """Return what the file shall hold."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [each for name in extras if name not in DEVELOPMENT for each in extras[name]]
    used = {plain(each) for each in [*project["dependencies"], *wanted]}
    pins = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").split()
    versions = dict(pin.split("==") for pin in pins)
    return {
        "python": [
            each.removeprefix(PYTHON)
            for each in project["classifiers"]
            if each.startswith(PYTHON + "3.")
        ],
        "packages": {name: versions[name] for name in versions if plain(name) in used},
    }


def plain(requirement: str) -> str:
    """Return the name in a requirement, as package indexes compare names."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return re.sub(r"[-_.]+", "-", name.group()).lower()


def main() -> None:
    TESTED.write_text(json.dumps(tested(), indent=1) + "\n", encoding="utf-8")
    print(f"wrote {TESTED.relative_to(REPOSITORY)}")


if __name__ == "__main__":
    main()
