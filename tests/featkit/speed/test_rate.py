import pytest

from featkit.speed import Rate, rate
from featkit.speed.rate import measured


class Machine:
    """A clock, and a stream of batches that moves it on."""

    def __init__(self, images, durations):
        self.now, self.closed = 0.0, False
        self.images, self.durations = images, iter(durations)

    def stream(self):
        try:
            while True:
                self.now += next(self.durations)
                yield self.images
        finally:
            self.closed = True


@pytest.fixture
def run(monkeypatch):
    def run(images, durations, **options):
        machine = Machine(images, durations)
        monkeypatch.setattr(rate.time, "perf_counter", lambda: machine.now)
        return measured(machine.stream(), **options), machine

    return run


def test_batches_fill_passes_and_the_first_one_counts_for_nothing(run):
    found, machine = run(10, [100.0] + [0.25] * 40)
    assert found == Rate(40.0, 40.0, 40.0, 6)  # three seconds of passes of half a second
    assert machine.closed


def test_a_long_measurement_has_more_passes(run):
    found, _ = run(10, [100.0] + [0.25] * 80, long=True)
    assert found == Rate(40.0, 40.0, 40.0, 18)


def test_slow_batches_are_passes_of_their_own(run):
    found, _ = run(32, [0.0, 2.0, 1.0, 4.0, 1.0])
    assert found == Rate(16.0, 8.0, 32.0, 3)


def test_patience_ends(run):
    found, _ = run(32, [0.0, 4.0, 8.0, 1.0])
    assert found == Rate(6.0, 4.0, 8.0, 2)


def test_a_stream_is_closed_whatever_happens(run):
    def broken():
        yield 0.1
        raise MemoryError

    with pytest.raises(MemoryError):
        run(1, broken())
