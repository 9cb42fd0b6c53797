"""Published numbers are held against the Runs that are meant."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from featkit.comparison import Estimate
from featkit.studies._published import Found, look_up
from featkit.studies.schema import Published


def cell(method, accuracy, runs=2):
    scores = {
        "accuracy": Estimate(accuracy, accuracy - 0.1, accuracy + 0.1),
        "balanced_accuracy": Estimate(accuracy / 2, 0.0, 1.0),
        "ece": Estimate(1 - accuracy, 0.0, 1.0),
    }
    return SimpleNamespace(method=method, budget=100.0, runs=runs, scores=scores)


class Table:
    """Stands for a Comparison: cells by method, at 100% only."""

    def cell(self, method, budget):
        accuracy = {"a": 0.5, "b": 0.7, "c": 0.6, "d": 0.9}[method]
        return cell(method, accuracy) if budget == 100 else None


@dataclass(frozen=True)
class Step:
    """Stands for a TrainStep."""

    backbone: str
    section_name: str


ROWS = {
    Step("net", "frozen"): ("a", "b"),
    Step("net", "tuned"): ("c",),
    Step("other", "frozen"): ("d",),
}


def found(**options):
    return look_up(Published(what="x", value=0.5, **options), Table(), ROWS)


@pytest.mark.parametrize(
    ("options", "methods", "value", "candidates"),
    [
        ({}, ("d",), 0.9, 4),
        ({"backbone": "net"}, ("b",), 0.7, 3),
        ({"backbone": "net", "section": "tuned"}, ("c",), 0.6, 1),
        ({"section": "frozen"}, ("d",), 0.9, 3),
        ({"section": "frozen", "pick": "mean"}, ("b", "d"), 0.8, 3),
        ({"backbone": "net", "section": "elsewhere"}, ("b",), 0.7, 3),
    ],
)
def test_the_right_cells_are_found(options, methods, value, candidates):
    result = found(**options)
    assert result.methods == methods
    assert result.value == pytest.approx(value)
    assert result.balanced_accuracy == pytest.approx(value / 2)
    assert result.candidates == candidates


def test_the_best_is_the_lowest_where_less_is_better():
    assert found(metric="ece").methods == ("d",)


def test_intervals_belong_to_single_methods():
    assert found(backbone="other").low == pytest.approx(0.8)
    assert math.isnan(found(pick="mean").low)


def test_nothing_is_found_where_nothing_was_trained():
    assert found(budget=5) is None
    assert found(section="tuned", backbone="other").methods == ("d",)


def test_it_survives_json():
    result = found(pick="mean")
    again = Found.from_dict({**result.to_dict(), "low": None, "high": None})
    assert again.methods == result.methods
    assert math.isnan(again.low)
