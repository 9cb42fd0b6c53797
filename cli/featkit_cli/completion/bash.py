"""Bash takes `timm:resnet50` for three words; here they are one again."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO

__all__ = ["joined", "words_joined"]

_ASKED, _WORDS, _PLACE = "_FEATKIT_COMPLETE", "COMP_WORDS", "COMP_CWORD"
"""Variables of Typer's script for Bash."""


@contextmanager
def words_joined() -> Iterator[None]:
    """Join the words around colons before Typer completes, and answer what Bash will insert.

    That is what stands behind the last colon, as Bash keeps what stands before it. Does nothing
    where no completion was asked for, or by another shell.
    """
    if os.environ.get(_ASKED) != "complete_bash" or not os.environ.get(_PLACE, "").isdecimal():
        yield
        return
    words, place = joined(os.environ.get(_WORDS, "").split("\n"), int(os.environ[_PLACE]))
    os.environ |= {_WORDS: "\n".join(words), _PLACE: str(place)}
    word = words[place] if place < len(words) else ""
    kept = word[: word.rfind(":") + 1]
    answer = StringIO()
    try:
        with redirect_stdout(answer):
            yield
    finally:
        for line in answer.getvalue().splitlines():
            print(line.removeprefix(kept))  # noqa: T201


def joined(words: Sequence[str], place: int) -> tuple[list[str], int]:
    """Return words as the user wrote them, and which of them is being completed.

    Args:
        words: As Bash splits them: colons and equals signs are words of their own.
        place: The word that is being completed.
    """
    whole: list[str] = []
    at, glued = place, False
    for number, word in enumerate(words):
        option = bool(whole) and whole[-1].startswith("--")
        if word == "=" and option:
            at -= number < place
            # The equals sign itself being completed means: an empty value.
            if number == place:
                whole.append("")
            continue
        colon = bool(word) and not word.strip(":")
        if whole and number > 1 and (glued or (colon and not option)):
            whole[-1] += word
            at -= number <= place
        else:
            whole.append(word)
        glued = colon
    return whole, at
