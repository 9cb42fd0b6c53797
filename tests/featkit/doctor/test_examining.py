"""The whole examination, in this process and apart from it."""

import os
import sys
from pathlib import Path

import pytest

from featkit.doctor import _apart, examine
from featkit.doctor._checks import CHECKS

REPOSITORY = Path(__file__).parents[3]


class Listener:
    def __init__(self):
        self.notes = []

    def start(self, task, *, total, done=0, unit=""):
        self.total = total

    def advance(self, amount, *, note=""):
        self.notes.append(note)

    def finish(self):
        self.notes.append("end")


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Return a maker of modules that come first in processes which are started."""

    def make(name, code):
        (tmp_path / "site").mkdir(exist_ok=True)
        (tmp_path / "site" / f"{name}.py").write_text(code)
        path = [str(tmp_path / "site"), str(REPOSITORY), *sys.path]
        monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))

    return make


def look_apart(names, out, **options):
    return [each for _, each in _apart.look_apart(names, out, **options) if each is not None]


def test_every_check_is_run_and_told(tmp_path, monkeypatch):
    quick = {name: CHECKS[name] for name in ("Python", "cores", "memory", "disk")}
    monkeypatch.setattr("featkit.doctor.examining.CHECKS", quick)
    listener = Listener()
    found = examine(tmp_path, apart=False, progress=listener)
    assert listener.notes == [*quick, "end"]
    assert listener.total == len(quick)
    assert {each.verdict for each in found} <= {"good", "warn", "bad"}
    assert {"Python", "featkit", "cores", "memory", "disk for results"} <= {e.name for e in found}


def test_what_is_not_good_has_a_remedy(tmp_path):
    names = ("Python", "cores", "memory", "disk", "write access")
    found = look_apart(names, tmp_path)
    assert found
    for finding in found:
        assert finding.verdict == "good" or finding.remedy, finding


@pytest.mark.parametrize(
    ("code", "part"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "(SIGSEGV)"),
        ("import os; os.write(2, b'libmkl: no such file\\n'); os._exit(3)", "libmkl: no such file"),
    ],
)
def test_a_library_that_ends_the_process_is_bad_and_the_rest_is_looked_at(
    tmp_path, broken, code, part
):
    broken("torch", "def get_num_threads(): return 1")
    broken("threadpoolctl", code)
    found = look_apart(("cores", "threads", "memory"), tmp_path)
    assert [each.name for each in found if each.name != "OMP_NUM_THREADS"][-2:] == [
        "threads",
        "memory",
    ]
    dead = next(each for each in found if each.name == "threads")
    assert dead.verdict == "bad"
    assert part in dead.value


def test_a_library_that_hangs_is_given_up(tmp_path, broken):
    broken("threadpoolctl", "import time; time.sleep(600)")
    broken("torch", "def get_num_threads(): return 1")
    found = look_apart(("threads", "memory"), tmp_path, patience=2.0)
    hung = next(each for each in found if each.name == "threads")
    assert (hung.verdict, hung.value) == ("bad", "no answer within 2 s")
    assert found[-1].name == "memory"


def test_what_libraries_print_does_not_disturb(tmp_path, broken):
    broken("torch", "import os; print('{hello'); os.write(1, b'more'); get_num_threads = int")
    found = look_apart(("threads",), tmp_path)
    assert any(each.value.startswith("torch 0") for each in found)


def test_a_check_that_exits_is_a_finding(look, monkeypatch):
    monkeypatch.setattr("featkit.doctor._memory.memory_limit", lambda: sys.exit("no"))
    assert look("memory")["memory"].verdict == "bad"
    assert "SystemExit: no" in look("memory")["memory"].value


def test_the_same_featkit_is_looked_at_wherever_it_is_called_from(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    found = {each.name: each.value for each in look_apart(("Python",), tmp_path)}
    assert found["featkit"].endswith(f" at {REPOSITORY / 'featkit'}")


def test_a_python_that_cannot_start_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    found = look_apart(("cores", "memory"), tmp_path)
    assert [(each.name, each.verdict) for each in found] == [("cores", "bad"), ("memory", "bad")]
