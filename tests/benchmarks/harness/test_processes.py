import sys

import pytest

from benchmarks.harness import Script, run_command, run_script
from featkit import FeatkitError

WORK = "sum(i * i for i in range(2_000_000))"


def test_a_script_says_what_it_measured():
    measured = run_script(Script("trial", {"work": 3, "squares": 300_000}))
    assert measured.work == 3
    assert 0 < measured.seconds < measured.process_seconds
    assert measured.setup_seconds < measured.process_seconds
    assert measured.seconds * 0.2 < measured.core_seconds <= measured.seconds * 1.5
    assert measured.facts["argument"] == {"work": 3, "squares": 300_000}
    assert 5 < measured.peak_mib < 2_000


def test_variables_reach_the_script():
    script = Script(
        "trial", {"work": 1, "squares": 1, "tell": "A_VARIABLE"}, environment={"A_VARIABLE": "x"}
    )
    assert run_script(script).facts["told"] == "x"


def test_a_failure_repeats_the_last_words():
    with pytest.raises(FeatkitError, match=r"trial could not be measured.*KeyError: 'squares'"):
        run_script(Script("trial", {"work": 1}))


def test_silence_is_a_failure():
    with pytest.raises(FeatkitError, match="said nothing"):
        run_script(Script("stopwatch"))


def test_all_of_a_command_is_measured():
    measured = run_command([sys.executable, "-c", WORK], 5)
    assert measured.seconds == measured.process_seconds > 0
    assert measured.core_seconds > 0
    assert measured.rate == 5 / measured.seconds


def test_a_command_that_fails():
    with pytest.raises(FeatkitError, match="ended with code 3"):
        run_command([sys.executable, "-c", "raise SystemExit(3)"], 1)
