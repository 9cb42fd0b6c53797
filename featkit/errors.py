"""Errors that name the thing, the likely cause and the remedy."""

from __future__ import annotations

__all__ = [
    "BackboneError",
    "DataError",
    "FeatkitError",
    "ModelError",
    "PlanError",
    "PluginError",
    "StoreError",
    "TrainingError",
    "UsageError",
]


class FeatkitError(Exception):
    """A failure that the user can understand and mend.

    Args:
        what: What failed, naming the thing (file, class, option).
        cause: The likely cause.
        remedy: What to do about it.
    """

    exit_code = 1

    def __init__(self, what: str, *, cause: str, remedy: str) -> None:
        self.what = what
        self.cause = cause
        self.remedy = remedy
        super().__init__(" ".join(f"{what}: {cause}. {remedy}.".split()))

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.cause, self.remedy))


def _rebuild(kind: type[FeatkitError], what: str, cause: str, remedy: str) -> FeatkitError:
    return kind(what, cause=cause, remedy=remedy)


class UsageError(FeatkitError):
    """An option or argument that cannot be meant."""

    exit_code = 2


class DataError(FeatkitError):
    """A data set that cannot be read, or does not fit the job."""


class BackboneError(FeatkitError):
    """A backbone that cannot be found, built or loaded."""


class ModelError(FeatkitError):
    """A trained model that cannot be loaded, trusted or written."""


class StoreError(FeatkitError):
    """A feature file, Run or output folder that cannot be read or written."""


class PlanError(FeatkitError):
    """A design that the data cannot support, or that differs from another."""


class PluginError(FeatkitError):
    """Something that another distribution adds to featkit and that does not work."""


class TrainingError(FeatkitError):
    """A training that went wrong: a loss that is no number, a checkpoint that does not fit."""
