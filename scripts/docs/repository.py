"""Hook of MkDocs: files of the repository that pages link to come along with the site."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

__all__ = ["on_files", "on_page_markdown"]

_LINK = re.compile(r"(\]\()((?:\.\./)+[^)#\s]+)")
"""A link that leads upwards; pages of the site never need one, as they lie in one folder."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add what pages link to outside of the documentation's folder, by its path there."""
    root = Path(config.config_file_path).parent
    pages = [file for file in files if file.is_documentation_page()]
    for name in sorted({_place(link) for page in pages for link in _links(page)}):
        if (root / name).is_file():
            files.append(File.generated(config, name, abs_src_path=str(root / name)))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Let these links lead to the copies; what is not there is left for MkDocs to warn of."""
    return _LINK.sub(lambda match: match[1] + _place(match[2]), markdown)


def _links(page: File) -> list[str]:
    return [match[2] for match in _LINK.finditer(page.content_string)]


def _place(link: str) -> str:
    return str(PurePosixPath(*(part for part in PurePosixPath(link).parts if part != "..")))
