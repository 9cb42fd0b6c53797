"""README keeps its word: its numbers are those of the files, and its Python runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


SCRIPTS = ["update_readme", "update_docs", "models_page", "speed", "serving_load"]


@pytest.mark.parametrize("script", SCRIPTS)
def test_the_tables_are_those_of_the_reference_files(script: str):
    command = [sys.executable, str(ROOT / "scripts" / f"{script}.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.long
def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """As it stands, but on the embedded sample and the bundled backbone."""
    code, prediction = re.findall(
        r"```python\n(.*?)```", (ROOT / "README.md").read_text(), flags=re.S
    )
    for written, small in (
        ("ham10000:../shared/ham10000", "synthetic:images=300,size=32"),
        ("timm:resnet50.a1_in1k", "featkit:tiny"),
        ("budgets=(5, 25, 100), draws=3", "budgets=(100,), draws=1"),
        ('strategies=["full"]', 'strategies=["full"], recipe={"epochs": 1, "min_steps": 0}'),
    ):
        assert written in code
        code = code.replace(written, small)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    exec(code, names)
    assert (tmp_path / "resnet50.h5").exists()
    assert {"tiny / linear", "tiny / finetune-full"} <= set(names["comparison"].methods)
    assert (tmp_path / "report.html").exists()
    first = next(path for path in Path("runs/runs").iterdir() if path.name.startswith("linear"))
    names["featkit"].export_model(first, "model")
    for row, name in enumerate(("a.jpg", "b.jpg")):
        names["dataset"].images.read(row).save(name)
    exec(prediction, names)
    assert names["probabilities"].shape == (2, 7)


def test_every_path_that_the_pages_name_exists():
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    for page in pages:
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} names {target}"
