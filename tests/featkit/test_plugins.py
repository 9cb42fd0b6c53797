"""Registries: names of featkit's own and of installed distributions, through the same door."""

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest
from PIL import Image

from featkit.backbones import SOURCES, list_backbones
from featkit.data import load_dataset
from featkit.data.readers import READERS
from featkit.errors import DataError, PluginError
from featkit.heads import HEADS, Head
from featkit.plugins import Plugin, Registry

OWN = {"zip": "zipfile:ZipFile", "lines": "io:StringIO"}


def made(name: str, found: object) -> Callable[[], object]:
    if not callable(found):
        raise TypeError("it cannot be called")
    return found


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Return what puts a distribution with entry points on the path."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(distribution: str, **values: str) -> None:
        folder = tmp_path / f"{distribution.replace('-', '_')}-1.2.dist-info"
        folder.mkdir()
        facts = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n"
        (folder / "METADATA").write_text(facts)
        lines = [f"{name.replace('_', '-')} = {value}" for name, value in values.items()]
        (folder / "entry_points.txt").write_text("\n".join(["[test.group]", *lines, ""]))

    return put


def registry():
    return Registry("test.group", "thing", OWN, made)


def test_own_things_come_first_and_others_by_name(install):
    install("one", tape="tarfile:open", date="datetime:date")
    install("another", beat="time:sleep")
    things = registry()
    assert list(things) == ["zip", "lines", "beat", "date", "tape"]
    assert (len(things), things.own) == (5, ("zip", "lines"))
    assert things.outside == ("beat", "date", "tape")
    import tarfile

    assert things["tape"] is tarfile.open
    assert [things.distributions(name) for name in ("zip", "tape", "none")] == [(), ("one",), ()]


def test_nothing_is_imported_before_it_is_asked_for(install, tmp_path):
    (tmp_path / "loud_module.py").write_text("value = print\n")
    install("one", loud="loud_module:value", broken="no_such_module:value")
    things = registry()
    assert "loud" in things and "broken" in things and "none" not in things
    assert list(things)[2:] == ["broken", "loud"]
    assert "loud_module" not in sys.modules
    assert things["loud"] is print
    with pytest.raises(KeyError):
        things["none"]


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("gone", "no_such_module:value", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("gone", "zipfile:NoSuchFile", "AttributeError: "),
        ("gone", "faulty_module:value", "ZeroDivisionError: division by zero"),
        ("gone", "leaving_module:value", "SystemExit: no licence"),
        ("gone", "sys:path", "TypeError: it cannot be called"),
        ("Gone", "time:sleep", "ValueError: a name has small letters, digits and hyphens"),
    ],
)
def test_what_does_not_work_is_named_with_its_distribution(install, tmp_path, name, value, reason):
    (tmp_path / "faulty_module.py").write_text("value = 1 / 0\n")
    (tmp_path / "leaving_module.py").write_text("raise SystemExit('no licence')\n")
    install("helpful-things", **{name: value})
    things = registry()
    assert things["zip"].__name__ == "ZipFile"
    with pytest.raises(PluginError) as caught:
        things[name]
    assert caught.value.what == f"cannot load the thing {name!r} of helpful-things 1.2"
    assert caught.value.cause.startswith(f"its entry point in test.group, {value}, fails: {reason}")
    assert "uninstall" in caught.value.remedy


def test_a_name_that_is_declared_twice_stands_for_nothing(install):
    install("one", zip="tarfile:open", tape="tarfile:open")
    install("two", tape="io:BytesIO")
    things = registry()
    assert things["lines"].__name__ == "StringIO"
    with pytest.raises(
        PluginError, match=r"'zip': .* by featkit \(zipfile:ZipFile\) and by one 1.2 \(tarfile:open"
    ):
        things["zip"]
    with pytest.raises(PluginError, match=r"'tape': .* by (one|two) 1.2 .* and by (one|two) 1.2"):
        things["tape"]


def test_all_that_is_added_is_listed_with_what_ails_it(install):
    install("one", zip="tarfile:open", beat="time:sleep", broken="no_such_module:value")
    found = {plugin.name: plugin for plugin in registry().plugins()}
    assert list(found) == ["zip", "beat", "broken"]
    assert found["beat"] == Plugin("test.group", "beat", "time:sleep", "one 1.2", "")
    assert "declared by featkit" in found["zip"].problem
    assert "no_such_module" in found["broken"].problem


@pytest.fixture
def broken_beside(tmp_path, monkeypatch):
    """Return a copy of a registry as it is with a distribution whose modules are missing."""

    def copy(things: Registry) -> Registry:
        folder = tmp_path / "site" / "odd-0.1.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 0.1\n")
        (folder / "entry_points.txt").write_text(f"[{things.group}]\nodd = no_such_module:Odd\n")
        monkeypatch.syspath_prepend(folder.parent)
        own = {each.name: each.value for each in things._ours}
        return Registry(things.group, things._what, own, things._made)

    return copy


def test_a_broken_reader_is_no_matter_for_paths_that_featkit_knows(
    broken_beside, tmp_path, monkeypatch
):
    monkeypatch.setattr("featkit.data.loading.READERS", broken_beside(READERS))
    for label in ("mel", "nv"):
        (tmp_path / "images" / label).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(tmp_path / "images" / label / f"{label}.png")
    assert len(load_dataset(tmp_path / "images")) == 2
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "notes.txt").write_text("nothing")
    with pytest.raises(DataError, match=r"looked for ham.*not asked: .*of odd 0\.1.*no_such_m"):
        load_dataset(tmp_path / "other")
    with pytest.raises(PluginError, match="no_such_module"):
        load_dataset("odd:x")


def test_a_broken_source_is_left_out_of_the_list_and_named(broken_beside, monkeypatch):
    monkeypatch.setattr("featkit.backbones.listing.SOURCES", broken_beside(SOURCES))
    found = list_backbones("featkit:")
    assert [row.spec for row in found.rows] == ["featkit:tiny"]
    (problem,) = found.problems
    assert "'odd' of odd 0.1" in problem
    with pytest.raises(PluginError, match="no_such_module"):
        list_backbones("odd:*")


def test_the_command_line_lists_the_rest_and_notes_what_is_broken(tmp_path):
    folder = tmp_path / "odd-0.1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 0.1\n")
    points = "[featkit.backbones]\nodd = no_such_module:Odd\n"
    (folder / "entry_points.txt").write_text(points)
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    command = [sys.executable, "-m", "featkit_cli", "backbones", "featkit:", "--json"]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [each["spec"] for each in json.loads(done.stdout)] == ["featkit:tiny"]
    assert "no_such_module" in done.stderr


@pytest.mark.parametrize("things", [HEADS, READERS, SOURCES], ids=lambda things: things.group)
def test_all_of_featkits_own_pass_the_checks_for_others(things):
    assert [type(things[name]) for name in things.own]
    assert things.group.startswith("featkit.")


@pytest.mark.parametrize(
    ("things", "value", "reason"),
    [
        (HEADS, "sklearn.svm:SVC", "it is no class of heads"),
        (HEADS, "featkit.heads:Head", "it is no class of heads that can be trained"),
        (READERS, "featkit.data.readers.folder:FolderReader", "no reader of the kind other"),
        (READERS, "zipfile:ZipInfo", "no reader of the kind other"),
        (SOURCES, "featkit.backbones._timm:TimmSource", "no source .* with the prefix other"),
        (SOURCES, "zipfile:ZipInfo", "no source .* with the prefix other"),
    ],
)
def test_what_is_of_another_kind_is_refused(tmp_path, monkeypatch, things, value, reason):
    folder = tmp_path / "odd-0.1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 0.1\n")
    (folder / "entry_points.txt").write_text(f"[{things.group}]\nother = {value}\n")
    monkeypatch.syspath_prepend(tmp_path)
    again = Registry(things.group, "thing", {}, things._made)
    with pytest.raises(PluginError, match=reason):
        again["other"]


def test_a_head_of_others_is_told_apart_by_its_class():
    class OtherHead(HEADS["linear"]):
        pass

    assert issubclass(OtherHead, Head)
    own = HEADS["linear"]().identity()
    other = OtherHead().identity()
    assert "class" not in own
    assert other.pop("class").endswith("OtherHead")
    assert other == own
