"""Libraries that are missing, old, broken or other than tested, and extras."""

import json
import re
import tomllib
from pathlib import Path

import pytest

from featkit.doctor.tested import tested_versions as versions_tested

REPOSITORY = Path(__file__).parents[3]


def test_what_is_as_needed_stands_in_one_line(look, distribution):
    distribution("featkit", "0.1.0", requires=("goodlib>=2", "rich>=14"))
    distribution("goodlib", "2.5", code="")
    found = look("libraries")
    assert list(found) == ["libraries"]
    assert "goodlib 2.5" in found["libraries"].value
    assert found["libraries"].verdict == "good"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("raise OSError('libgomp.so.1: cannot open shared object file')", "OSError: libgomp.so.1"),
        ("raise RuntimeError('compiled for NumPy 1\\nsecond line')", "compiled for NumPy 1)"),
    ],
)
def test_a_library_that_does_not_load_is_bad_and_the_others_are_looked_at(
    look, distribution, code, message
):
    distribution("featkit", "0.1.0", requires=("brokenlib", "finelib"))
    distribution("brokenlib", "3.1", code=code)
    distribution("finelib", "1.0", code="")
    found = look("libraries")
    assert found["brokenlib"].verdict == "bad"
    assert message in found["brokenlib"].value
    assert found["brokenlib"].remedy == "pip install --force-reinstall 'brokenlib==3.1'"
    assert found["libraries"].value == "finelib 1.0"


def test_a_library_that_is_missing_or_too_old_is_bad(look, distribution):
    distribution("featkit", "0.1.0", requires=("nonesuchlib>=1", "oldlib<4,>=3"))
    distribution("oldlib", "2.9", code="")
    found = look("libraries")
    assert (found["nonesuchlib"].value, found["nonesuchlib"].verdict) == ("not installed", "bad")
    assert found["nonesuchlib"].remedy == "pip install 'nonesuchlib>=1'"
    assert found["oldlib"].value == "2.9, where <4,>=3 is needed"
    assert found["oldlib"].verdict == "bad"


def test_another_series_than_the_tested_one_is_a_warning(look, distribution):
    series, patch = versions_tested().packages["safetensors"].rsplit(".", 1)
    distribution("featkit", "0.1.0", requires=("safetensors>=0.5",))
    distribution("safetensors", "0.99.0", code="")
    found = look("libraries")["safetensors"]
    assert found.verdict == "warn"
    assert found.value == f"0.99.0, tested with {series}.{patch}"
    assert f"safetensors=={series}.{patch}" in found.remedy


def test_a_patch_of_the_tested_series_is_good(look, distribution):
    series = versions_tested().packages["safetensors"].rsplit(".", 1)[0]
    distribution("featkit", "0.1.0", requires=("safetensors",))
    distribution("safetensors", f"{series}.99", code="")
    assert look("libraries")["libraries"].verdict == "good"


def test_extras_are_installed_partly_installed_or_too_old(look, distribution):
    distribution(
        "featkit",
        "0.1.0",
        extras=("whole", "part", "old", "both", "dev"),
        requires=(
            'wholelib>=1; extra == "whole"',
            'wholelib>=1; extra == "part"',
            'absentlib; extra == "part"',
            'wholelib>=7; extra == "old"',
            'featkit[part,whole]; extra == "both"',
            'devlib; extra == "dev"',
        ),
    )
    distribution("wholelib", "2.0")
    found = look("extras")
    assert set(found) == {"extra whole", "extra part", "extra old", "extra both"}
    assert found["extra whole"].value == "wholelib 2.0"
    assert found["extra whole"].remedy == ""
    assert found["extra part"].value == "not installed (absentlib)"
    assert found["extra part"].verdict == "good"
    assert found["extra part"].remedy == "pip install 'featkit[part]'"
    assert found["extra old"].verdict == "bad"
    assert found["extra both"].value == "not installed (absentlib)"


def test_featkit_that_is_not_installed_is_a_warning_and_libraries_are_looked_at(look, monkeypatch):
    from importlib.metadata import PackageNotFoundError

    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr("featkit.doctor._requirements.version", missing)
    monkeypatch.setattr("featkit.doctor._requirements.requires", missing)
    assert look("Python")["featkit"].verdict == "warn"
    assert look("libraries")["torch"].value == "not installed"


def test_a_python_that_was_not_tested_is_a_warning(look, monkeypatch):
    monkeypatch.setattr("sys.version_info", (3, 99, 0))
    found = look("Python")["Python"]
    assert found.verdict == "warn"
    assert versions_tested().python[0] in found.remedy


def test_the_tested_versions_are_those_of_the_constraints():
    pins = dict(line.split("==") for line in (REPOSITORY / "constraints.txt").read_text().split())
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    extras = {
        each
        for name, wanted in project["optional-dependencies"].items()
        if name not in {"dev", "docs"}
        for each in wanted
    }
    used = {re.split(r"[\[><=;]", each)[0] for each in [*project["dependencies"], *extras]}
    assert dict(versions_tested().packages) == {
        name: number for name, number in pins.items() if name in used
    }, "run scripts/tested_versions.py"
    assert {"torch", "timm", "h5py", "ray"} <= set(versions_tested().packages)
    named = {f"Programming Language :: Python :: {each}" for each in versions_tested().python}
    assert named == {each for each in project["classifiers"] if ":: 3." in each}


def test_the_script_writes_the_file_that_is_there(monkeypatch):
    import runpy

    script = runpy.run_path(str(REPOSITORY / "scripts" / "tested_versions.py"))
    assert json.loads(script["TESTED"].read_text()) == script["tested"]()
