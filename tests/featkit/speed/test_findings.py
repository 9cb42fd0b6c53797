import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.files import jsonable

rates = st.floats(0.01, 1e6)


def test_on_a_cpu_times_add_up_and_beside_it_the_slower_decides(made):
    way = made.way(50.0, taken=True)
    speed = made.speed(way, decode=200.0)
    cpu, gpu = made.findings(speed), made.findings(speed, beside=True)
    assert cpu.estimate(speed, way) == pytest.approx(40.0)  # 20 ms and 5 ms an image
    assert gpu.estimate(speed, way) == 50.0
    assert cpu.decode_share(speed) == pytest.approx(0.2)


def test_the_time_is_that_of_both_together(made):
    speed = made.speed(made.way(50.0, taken=True), made.way(100.0), together=made.rate(20.0))
    assert made.findings(speed, images=1000).seconds(speed) == pytest.approx(4 + 50)
    assert speed.taken.rate.middle == 50.0


def test_backbones_are_told_apart_by_as_little_as_does_it(made):
    one, two = made.speed(), made.speed(name="net.a2")
    other = made.speed(architecture="other")
    findings = made.findings(one, two, other)
    assert [findings.label(speed) for speed in (one, two, other)] == ["net.a1", "net.a2", "other"]


@given(forward=rates, decode=rates, beside=st.booleans())
def test_nothing_is_faster_than_its_parts(made, forward, decode, beside):
    way = made.way(forward, taken=True)
    speed = made.speed(way, decode=decode)
    found = made.findings(speed, beside=beside).estimate(speed, way)
    slower = min(forward, decode)
    assert slower / 2 * (1 - 1e-9) <= found <= slower * (1 + 1e-9)


def test_everything_is_told_as_json(made):
    speed = made.speed(made.way(50.0, taken=True, faithfulness=None), decode=200.0)
    told = json.loads(json.dumps(jsonable(made.findings(speed).to_dict()), allow_nan=False))
    assert told["backbones"][0]["expected_seconds"] == pytest.approx(29)
    assert told["backbones"][0]["together"]["middle"] == 40.0
    assert told["backbones"][0]["ways"][0]["faithfulness"] is None
    assert told["device"] == "cpu: test, 2 cores"
