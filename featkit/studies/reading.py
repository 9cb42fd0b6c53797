"""Reading a study: from a TOML file or a bundled name, and the command line's changes to it."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from featkit.duplicates import read_pairs
from featkit.errors import FeatkitError, UsageError
from featkit.studies._paths import designs, rebase
from featkit.studies._problems import refuse, refuse_invalid
from featkit.studies._settings import apply_settings
from featkit.studies._values import check_values
from featkit.studies.catalogue import bundled_names, bundled_path
from featkit.studies.schema import Study

__all__ = ["load_study"]


def load_study(
    study: str | Path,
    *,
    data: str | None = None,
    limit: int | None = None,
    settings: Sequence[str] = (),
    random_weights: bool = False,
) -> Study:
    """Return a study, checked, with the changes of the command line.

    Args:
        study: The path of a TOML file, or the name of a bundled study.
        data: Replaces `data.spec`; relative to the working directory.
        limit: Replaces `data.limit`.
        settings: `KEY=VALUE`, such as `design.budgets=1,5` or `backbones.*.image_size=32`.
        random_weights: Random weights for every backbone.

    Raises:
        UsageError: No such study, a file that is no TOML, a key or value that cannot be meant; the
            message names file, key, cause and remedy.
        DataError: The file of `duplicates` cannot be read.
    """
    path = _find(study)
    raw = _read(path)
    raw.setdefault("name", path.stem)
    rebase(raw, path.parent)
    checked = _validated(raw, str(path))
    changes = [*settings]
    if data is not None:
        raw.setdefault("data", {})["spec"] = data
    if limit is not None:
        raw.setdefault("data", {})["limit"] = limit
    if random_weights:
        changes.append("backbones.*.random_weights=true")
    if changes or data is not None or limit is not None:
        apply_settings(raw, changes)
        checked = _validated(raw, f"{path.name} with --set {' '.join(changes)}".strip())
    return checked


def _find(study: str | Path) -> Path:
    path, name = Path(study).expanduser(), str(study)
    if path.is_file():
        return path
    names = bundled_names()
    if name in names:
        return bundled_path(name)
    near = difflib.get_close_matches(name, names, n=1)
    cause = "there is no such file, and no bundled study of this name"
    raise UsageError(
        f"unknown study {name}",
        cause=cause + "".join(f"; did you mean {other}" for other in near),
        remedy=f"Give a TOML file or one of {', '.join(names)}",
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        refuse(str(path), "", str(error.strerror or error).lower(), "Check the path")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        refuse(str(path), "", f"it is not TOML ({error})", "Mend the file at this place")


def _validated(raw: dict[str, Any], where: str) -> Study:
    for design in designs(raw):
        # What the file says decides the Plan, so the study holds it, not its name.
        if isinstance(design.get("duplicates"), str):
            design["duplicates"] = read_pairs(design["duplicates"])
    try:
        study = Study.model_validate(raw)
    except ValidationError as error:
        refuse_invalid(where, error)
    try:
        check_values(study)
    except FeatkitError as error:
        raise UsageError(f"{where}: {error.what}", cause=error.cause, remedy=error.remedy) from None
    return study
