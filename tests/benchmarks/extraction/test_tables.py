from benchmarks.extraction.limits import (
    DECODE,
    FAITHFUL_DECODE,
    FAITHFUL_FORWARDS,
    FORWARD,
    Explored,
    Limits,
)
from benchmarks.extraction.rivals import FEATKIT, PLAIN
from benchmarks.extraction.tables import Case, limits_table, rates_table, summary
from benchmarks.harness import Absent, Measurement


def case(precision="fp32"):
    rates = {
        FEATKIT: 100,
        PLAIN: 25,
        DECODE: 600,
        FORWARD: 300,
        FAITHFUL_DECODE: 300,
        FAITHFUL_FORWARDS["fp32"]: 150,
        FAITHFUL_FORWARDS["bf16"]: 300,
    }
    facts = {FEATKIT: {"store": {"precision": precision}, "rate_between": 140}}
    rounds = [
        {
            name: Measurement(rate * heat, 1.0, facts=facts.get(name, {}))
            for name, rate in rates.items()
        }
        for heat in (1, 0.5, 2)
    ]
    ways = Limits([Explored("pillow", 300, 160)], [Explored("fp32", 150)], ["bf16: no"])
    return Case("net", False, rounds, [Absent("thingsvision", "no environment")], ways)


def test_rates_are_compared_within_rounds():
    numbers = summary([case()], "cpu")["net"]
    assert numbers["times_faster"] == {PLAIN: {"middle": 4, "least": 4, "most": 4, "count": 3}}
    assert numbers["allowed"]["middle"] == 200
    assert numbers["share_of_allowed"][FEATKIT]["middle"] == 0.5
    assert numbers["allowed_faithfully"]["middle"] == 100
    assert numbers["share_of_allowed_faithfully"][FEATKIT]["middle"] == 1
    assert numbers["under_way"] == {FEATKIT: {"middle": 140, "least": 140, "most": 140, "count": 3}}
    assert numbers["share_of_allowed_under_way"][FEATKIT]["middle"] == 0.7
    assert numbers["share_of_allowed_faithfully_under_way"][FEATKIT]["middle"] == 1.4
    assert numbers["absent"] == {"thingsvision": "no environment"}


def test_who_is_absent_keeps_a_row_and_the_reason():
    table = rates_table([case()], "cpu")
    assert ["net*", "thingsvision", "not measured", *["–"] * 9] in [list(row) for row in table.rows]
    assert "thingsvision: no environment." in table.notes
    assert {len(row) for row in table.rows} == {len(table.columns)}


def test_a_way_that_failed_is_told():
    table = limits_table([case()])
    assert "net, bf16: no." in table.notes
    assert list(table.rows[0]) == ["net", "decode: pillow", "160", "300"]


def test_the_faithful_limit_is_that_of_the_precision_that_was_taken():
    numbers = summary([case("bf16")], "cpu")["net"]
    assert numbers["allowed_faithfully"]["middle"] == 150
