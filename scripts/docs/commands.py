"""Hook of MkDocs: the page of commands, written from the command line itself."""

from __future__ import annotations

import re
import subprocess
import sys

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

__all__ = ["commands", "on_files"]

_PAGE = "commands.md"

_SHORT = re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n")
"""Lists of commands with the beginnings of their help, which sections repeat in full."""

_TYPER = ("-m", "typer", "featkit_cli.commands", "utils", "docs")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the page."""
    files.append(File.generated(config, _PAGE, content=commands()))
    return files


def commands() -> str:
    """Return every command's help as Markdown."""
    words = [sys.executable, *_TYPER, "--name", "featkit", "--title", "Commands"]
    text = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    return _SHORT.sub("", text)
