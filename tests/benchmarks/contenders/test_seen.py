import pytest

from benchmarks.contenders import seen
from benchmarks.contenders.seen import Seen


def watched(monkeypatch, times, amount=10):
    clock = iter(times)
    monkeypatch.setattr(seen.time, "perf_counter", lambda: next(clock))
    listener = Seen()
    for _ in times:
        listener.advance(amount)
    return listener


def test_the_rate_is_that_of_the_middle_half(monkeypatch):
    """Slow to begin with, quick at the end."""
    times = [5, 10, 11, 12, 13, 14, 14.1, 14.2]
    listener = watched(monkeypatch, times)
    assert listener.rate() == pytest.approx(10)
    assert listener.last == 14.2


@pytest.mark.parametrize("steps", [1, 2])
def test_of_too_few_steps_there_is_no_rate(monkeypatch, steps):
    assert watched(monkeypatch, range(steps)).rate() is None
