"""Licences that the user has accepted, remembered in the user's own configuration folder."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import platformdirs

from featkit.data.download.sets import Publication
from featkit.errors import StoreError, UsageError
from featkit.files import write_json

__all__ = ["is_accepted", "require_acceptance"]


def is_accepted(publication: Publication) -> bool:
    """Say whether this user has accepted the data set's licence, in its present words."""
    return publication.licence.fingerprint in _remembered().get(publication.name, {})


def require_acceptance(publication: Publication, accept: bool) -> str:
    """Return if the licence is accepted, now or before; an acceptance is remembered.

    Where it can't be remembered, that is what is returned, as a sentence, else "".

    Args:
        publication: What is to be downloaded.
        accept: Whether the user accepts it.

    Raises:
        UsageError: It is not accepted.
    """
    if is_accepted(publication):
        return ""
    licence = publication.licence
    if not accept:
        raise UsageError(
            f"the licence of {publication.name} is not accepted",
            cause=f"{licence.name}: {licence.terms} {licence.url}",
            remedy="Nothing was downloaded. To accept it, say yes or give --accept-licence",
        )
    remembered = _remembered()
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    remembered.setdefault(publication.name, {})[licence.fingerprint] = {
        "licence": licence.name,
        "url": licence.url,
        "accepted": today,
    }
    try:
        write_json(_path(), remembered)
    except StoreError as error:
        return f"The licence will be asked for again: that it is accepted was not kept ({error})"
    return ""


def _path() -> Path:
    return Path(platformdirs.user_config_dir("featkit"), "licences.json")


def _remembered() -> dict[str, dict[str, Any]]:
    """Return what is remembered; what can't be read counts as nothing, and is asked again."""
    try:
        values = json.loads(_path().read_text(encoding="utf-8"))
        return {str(name): dict(accepted) for name, accepted in values.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
