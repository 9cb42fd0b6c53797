"""`--set KEY=VALUE`."""

from __future__ import annotations

import copy

import pytest

from featkit.errors import UsageError
from featkit.studies._settings import apply_settings

RAW = {
    "design": {"budgets": [1]},
    "backbones": {"a": {"spec": "x"}, "b": {"spec": "y"}},
    "arms": {
        "one": {"fit": {"f": {}}, "note": "text"},
        "two": {"fit": {"g": {}}, "design": {"draws": 3}},
    },
}


def changed(*settings):
    raw = copy.deepcopy(RAW)
    apply_settings(raw, settings)
    return raw


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1),
        ("1e-3", 1e-3),
        ("true", True),
        ("[1, 5]", [1, 5]),
        ('["a", "b"]', ["a", "b"]),
        ("1,5", "1,5"),
        ("synthetic:images=120,size=32", "synthetic:images=120,size=32"),
        ("oversample", "oversample"),
        ('"1"', "1"),
        ("", ""),
    ],
)
def test_values_are_toml_or_text(text, value):
    assert changed(f"design.x={text}")["design"]["x"] == value


def test_a_star_means_every_name_at_its_place():
    raw = changed("backbones.*.image_size=32", "arms.*.fit.*.heads=linear")
    assert [backbone["image_size"] for backbone in raw["backbones"].values()] == [32, 32]
    assert raw["arms"]["one"]["fit"]["f"] == raw["arms"]["two"]["fit"]["g"] == {"heads": "linear"}


def test_tables_that_are_not_there_are_made():
    assert changed("extract.views=4")["extract"] == {"views": 4}


def test_later_settings_win():
    assert changed("design.draws_large=1", "design.draws_large=2")["design"]["draws_large"] == 2


def test_a_setting_that_an_arm_would_overrule_is_refused():
    with pytest.raises(UsageError, match=r"arm two states draws for itself.*arms.\*.design.draws"):
        changed("design.draws=1")
    assert changed("arms.*.design.draws=1")["arms"]["two"]["design"]["draws"] == 1


@pytest.mark.parametrize("setting", ["design", "=1", "design..draws=1", ""])
def test_what_is_no_setting_is_refused(setting):
    with pytest.raises(UsageError, match="it is not KEY=VALUE"):
        changed(setting)


def test_a_value_cannot_be_entered_like_a_table():
    with pytest.raises(UsageError, match=r"note: it is a value and no table"):
        changed("arms.one.note.text=1")
