import itertools

import pytest

from benchmarks.harness import Contender, Measurement, alternate, calibrated


def contender(name, log, *, rate=100.0, once=0.0, work=10):
    def measure(amount):
        log.append((name, amount))
        return Measurement(work=amount, seconds=once + amount / rate)

    return Contender(name, measure, work)


def test_contenders_take_turns(watcher, said):
    log = []
    rounds = alternate([contender("a", log), contender("b", log, work=20)], 3, watcher)
    assert log == [("a", 10), ("b", 20)] * 3
    assert [list(each) for each in rounds] == [["a", "b"]] * 3
    assert rounds[0]["b"].rate == pytest.approx(100)
    assert said.getvalue().count("round 2/3") == 2


@pytest.mark.parametrize("once", [0.0, 2.0])
def test_calibration_fills_the_time(watcher, once):
    log = []
    scaled, trials = calibrated(contender("a", log, rate=50, once=once), 25, watcher, step=10)
    assert scaled.measure(scaled.work).seconds == pytest.approx(25, rel=0.15)
    assert scaled.work % 10 == 0
    assert len(trials) == len(log) - 1


def test_calibration_grows_step_by_step(watcher):
    # What is fast at first need not stay so: no trial is far longer than the one before.
    log = []
    calibrated(contender("a", log, rate=10_000), 10, watcher)
    amounts = [amount for _, amount in log]
    assert all(later <= 8 * earlier for earlier, later in itertools.pairwise(amounts))


def test_calibration_keeps_below_the_most(watcher):
    scaled, trials = calibrated(contender("a", [], rate=1e6), 10, watcher, most=500)
    assert scaled.work == 500
    assert len(trials) < 5


def test_a_slow_contender_gets_no_less_than_a_step(watcher):
    scaled, _ = calibrated(contender("a", [], rate=0.1), 1, watcher, step=10)
    assert scaled.work == 10
