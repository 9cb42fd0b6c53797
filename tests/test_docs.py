"""The documentation keeps its word: its code runs, and every page has its place."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import nbformat
import pytest
import yaml

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
NOTEBOOK = DOCS / "first-study.ipynb"


def hook(name: str) -> ModuleType:
    """Return a hook of the site, as MkDocs imports it."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / "docs" / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaves(tree: object) -> list[str]:
    """Return the pages of the navigation."""
    if isinstance(tree, str):
        return [tree]
    branches = tree.values() if isinstance(tree, dict) else tree
    return [page for branch in branches for page in leaves(branch)]


def test_every_page_stands_in_the_navigation():
    nav = leaves(yaml.safe_load((ROOT / "mkdocs.yml").read_text())["nav"])
    written = {page.name for page in DOCS.glob("*.md")}
    made = {"commands.md", NOTEBOOK.with_suffix(".md").name}
    assert sorted(nav) == sorted(written | made)


def test_the_notebook_is_committed_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(cells) > 8
    for cell in cells:
        assert (cell.outputs, cell.execution_count) == ([], None), cell.id
    assert all(re.fullmatch(r"[a-z-]+", cell.id) for cell in notebook.cells)
    text = NOTEBOOK.read_text()
    assert not re.search(r"/(tmp|work|home|root)/", text)


@pytest.mark.slow
@pytest.mark.long
def test_the_notebook_runs():
    notebook = hook("notebook").executed(NOTEBOOK.read_text())
    outputs = {cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"}
    assert "image/png" in outputs["curves"][-1]["data"]
    for cell in ("table", "paired", "leakage"):
        assert outputs[cell][-1]["data"]["text/markdown"].startswith("| method |")
    assert "tiny / mlp" in str(outputs["table"])
    scores = re.findall(r"0\.\d+", outputs["pipeline"][-1]["text"])
    assert len(scores) == 3 and all(float(score) > 1 / 7 for score in scores)
    assert "report.html" in str(outputs["page"])


def test_the_page_of_commands_is_that_of_the_command_line():
    from featkit_cli.commands import app

    page = hook("commands").commands()
    names = [command.callback.__name__ for command in app.registered_commands]
    for name in [*names, "data", "data check"]:
        assert f"`featkit {name}`\n" in page
    assert "* `--head NAME`: linear, lightgbm, mlp" in page
    assert "..." not in page.replace("[ARGS]...", "").replace("}...", "").replace("]...", "")


def test_the_quick_start_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As it stands, but on the embedded sample and the bundled backbone."""
    (code,) = re.findall(r"```python\n(.*?)```", (DOCS / "index.md").read_text(), flags=re.S)
    for written, small in (
        ("PATH/TO/IMAGES", "synthetic:images=300,size=32"),
        ("timm:resnet50.a1_in1k", "featkit:tiny"),
        ("budgets=(5, 25, 100), draws=3", "budgets=(100,), draws=1"),
    ):
        assert written in code
        code = code.replace(written, small)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)  # in this process, which is ready
    exec(code, {})
    assert (tmp_path / "resnet50.h5").exists()
    assert len(list((tmp_path / "runs" / "runs").iterdir())) == 3


@pytest.mark.parametrize("page", ["plugins", "add-a-data-set", "add-a-backbone", "add-a-head"])
def test_what_the_pages_show_is_what_the_tests_install(page: str):
    text = (DOCS / f"{page}.md").read_text()
    shown = re.findall(r'--8<-- "(.*?)"', text)
    assert shown
    project = (ROOT / "tests" / "plugin" / "pyproject.toml").read_text()
    for name in shown:
        assert (ROOT / name).is_file()
        assert f"](../{name})" in text, "a code host shows no snippets, so there is a link"
    for lines in re.findall(r"```toml\n(\[project.*?)```", text, flags=re.S):
        assert lines.strip() in project


def test_numbers_are_copied_and_not_typed():
    """Outside of the blocks that scripts write, the page on wrong numbers has no results."""
    text = (DOCS / "wrong-numbers.md").read_text()
    rest = re.sub(r"<!-- (\w+) -->.*?<!-- /\1 -->", "", text, flags=re.S)
    assert not re.search(r"[−+]?\.\d\d", rest)
    assert "10,015" not in rest
