"""Hook of MkDocs: notebooks, committed without outputs, are run and shown with what they print."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import nbformat
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbclient import NotebookClient
from nbconvert import MarkdownExporter

__all__ = ["executed", "on_files", "on_page_markdown"]

_SECONDS = 120
"""So long may a cell take."""


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add a page for each notebook, which stays beside it as a file to download."""
    for file in [each for each in files if each.src_uri.endswith(".ipynb")]:
        page = PurePosixPath(file.src_uri).with_suffix("")
        text, pictures = _converted(Path(str(file.abs_src_path)).read_text(), f"{page}_files")
        files.append(File.generated(config, f"{page}.md", content=text))
        for name, content in pictures.items():
            files.append(File.generated(config, name, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links to a notebook, which a code host shows by itself, lead to its page."""
    return markdown.replace(".ipynb)", ".md)")


def executed(notebook: str) -> Any:
    """Return a notebook with the outputs that it has now.

    Args:
        notebook: Its JSON.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell fails.
    """
    found = nbformat.reads(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        NotebookClient(
            found,
            timeout=_SECONDS,
            kernel_name="python3",
            # Its warnings are about who else is on this machine, not about the notebook.
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": folder}},
        ).execute()
    return found


@cache
def _converted(notebook: str, folder: str) -> tuple[str, dict[str, bytes]]:
    """Return a page and its pictures; once for all builds of `mkdocs serve`."""
    found = executed(notebook)
    for cell in found.cells:
        if cell.cell_type == "code":
            # What libraries say of the terminal that they are in is no output of the study.
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    resources = {"output_files_dir": folder, "unique_key": PurePosixPath(folder).name}
    text, resources = MarkdownExporter().from_notebook_node(found, resources=resources)
    return text, dict(resources["outputs"])
