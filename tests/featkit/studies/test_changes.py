"""What is said of a study that was changed."""

from __future__ import annotations

import pytest

from featkit.studies import load_study
from featkit.studies._changes import changes_since, remember


@pytest.fixture
def remembered(write_study, tmp_path):
    path = write_study()
    remember(load_study(path), tmp_path / "study.json")
    return path, tmp_path / "study.json"


def test_the_same_study_has_no_changes(remembered):
    path, memory = remembered
    assert changes_since(memory, load_study(path)) == []


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("design.budgets=1,5,25", "design.budgets: 50,100 -> 1,5,25"),
        ("data.limit=90", "data.limit: default -> 90"),
        ("backbones.tiny.random_weights=true", "backbones.tiny.random_weights: False -> True"),
        ("backbones.net.spec=resnet18", "backbones.net: added"),
        ("design.folds=3.0", None),
    ],
)
def test_each_changed_key_is_named(remembered, setting, change):
    path, memory = remembered
    study = load_study(path, settings=[setting])
    assert changes_since(memory, study) == ([change] if change else [])


def test_what_was_removed_stays_in_the_folder(write_study, remembered):
    _, memory = remembered
    path = write_study(
        ('[arms.original.design]\nsplit = "random"\n\n[arms.original.fit.frozen]\n', "[x]\n"),
        ('[x]\nheads = ["linear"]\n\n', ""),
    )
    assert changes_since(memory, load_study(path)) == [
        "arms.original: removed; what it left stays in the folder"
    ]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 99, "study": {}}', '{"schema": 1}'])
def test_a_memory_that_cannot_be_read_is_none(remembered, text):
    path, memory = remembered
    memory.write_text(text)
    assert changes_since(memory, load_study(path)) == []
