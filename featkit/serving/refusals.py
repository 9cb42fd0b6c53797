"""Refusals: why a request is not answered, as a person and a program can read it."""

from __future__ import annotations

from pydantic import BaseModel

__all__ = ["Refusal", "RefusalBody", "RefusedError", "ending"]


class Refusal(BaseModel):
    """Why.

    Attributes:
        code: A word that does not change.
        message: What is wrong, in a sentence.
        remedy: What to do about it.
    """

    code: str
    message: str
    remedy: str


class RefusalBody(BaseModel):
    """What a request gets that is not answered."""

    error: Refusal


class RefusedError(Exception):
    """A request, or one of its images, is not answered.

    Args:
        status: HTTP status.
        code: A word that does not change.
        message: What is wrong.
        remedy: What to do about it.
    """

    def __init__(self, status: int, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.status = status
        self.refusal = Refusal(code=code, message=message, remedy=remedy)


def ending() -> RefusedError:
    """Return why nothing more is answered once the server is to end."""
    return RefusedError(503, "ending", "the server is ending", "Try again in a moment")
