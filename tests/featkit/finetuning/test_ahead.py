"""A thread and streams as on a GPU, with stand-ins for what a CPU has not."""

import threading
import time
from contextlib import contextmanager

import pytest
import torch

from featkit.finetuning._ahead import ahead

CUDA = torch.device("cuda:0")


class Batch(int):
    """A number that remembers which stream reads it."""

    def record_stream(self, stream):
        self.read_by = stream


class Stream:
    def __init__(self):
        self.waited, self.made = [], []

    def record_event(self):
        self.made.append(len(self.made))
        return self.made[-1]

    def wait_event(self, event):
        self.waited.append(event)


@pytest.fixture
def streams(monkeypatch):
    """The stream that makes and the one that trains; and which threads used the first."""
    side, current, used = Stream(), Stream(), set()

    @contextmanager
    def stream(given):
        assert given is side
        used.add(threading.current_thread().name)
        yield

    monkeypatch.setattr(torch.cuda, "Stream", lambda _: side)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _: current)
    monkeypatch.setattr(torch.cuda, "stream", stream)
    return side, current, used


def helpers():
    return [t for t in threading.enumerate() if t.name.startswith("featkit-batches")]


def test_on_a_cpu_a_batch_is_made_when_it_is_asked_for():
    asked = []
    stream = ahead((asked.append(n) or n for n in range(5)), torch.device("cpu"))
    assert (next(stream), asked) == (0, [0])
    assert list(stream) == [1, 2, 3, 4]


@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_batches_come_in_order_each_waited_for_and_held(streams, count):
    side, current, used = streams
    batches = [Batch(number) for number in range(count)]
    found = list(ahead(iter(batches), CUDA))
    assert found == batches
    assert current.waited == side.made[:count]
    assert all(batch.read_by is current for batch in batches)
    assert all(name.startswith("featkit-batches") for name in used)
    assert not helpers()


def test_two_are_made_while_one_is_used(streams):
    asked = []
    stream = ahead((asked.append(n) or Batch(n) for n in range(9)), CUDA)
    assert next(stream) == 0
    deadline = time.monotonic() + 20
    while len(asked) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    assert asked == [0, 1, 2]
    stream.close()
    assert not helpers()


def test_an_error_reaches_the_one_who_trains(streams):
    def failing():
        yield Batch(0)
        raise OSError("the disk is gone")

    stream = ahead(failing(), CUDA)
    assert next(stream) == 0
    with pytest.raises(OSError, match="the disk is gone"):
        next(stream)
    assert not helpers()
