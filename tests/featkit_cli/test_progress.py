import io
import sys

import pytest

from featkit_cli import progress
from featkit_cli.progress import shown_progress


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test turns."""
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_lines_tell_rate_and_time_left_of_this_process_only(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown_progress() as listener:
        listener.start("extract", total=1000, done=400, unit="images")
        clock[0] += 5
        listener.advance(100)  # too early for a line
        clock[0] += 5
        listener.advance(100, note="2 failed")
        clock[0] += 10
        listener.advance(400)
        listener.finish()
    lines = sys.stderr.getvalue().splitlines()
    assert lines == [
        "extract: 600/1,000 images · 20/s · 0:20 left · 2 failed",
        "extract: 1,000/1,000 images · 30/s · 0:00 left",
    ]


def test_quick_work_writes_nothing(clock, monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with shown_progress() as listener:
        listener.start("check", total=3)
        clock[0] += 1
        listener.advance(3)
        listener.finish()
    assert sys.stderr.getvalue() == ""


def test_a_terminal_gets_a_bar(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("TERM", "xterm")
    with shown_progress() as listener:
        listener.start("fit", total=4, unit="runs")
        listener.advance(4, note="done")
        listener.finish()
    shown = sys.stderr.getvalue()
    assert "fit" in shown
    assert "4/4 runs" in shown
    assert "━" in shown
