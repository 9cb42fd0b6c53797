import json

import pytest
from rich.console import Console

from featkit.speed import rate
from featkit_cli import console

DATA = "synthetic:images=60,size=32"
TINY = ("-b", "featkit:tiny", "--device", "cpu")


@pytest.fixture(autouse=True)
def _instant(monkeypatch):
    monkeypatch.setattr(rate, "_SECONDS", 0.0)
    monkeypatch.setattr(rate, "_PASS_S", 0.001)


def test_tables_for_people_fit_into_80_columns(featkit, monkeypatch):
    narrow = Console(width=80, highlight=False)
    monkeypatch.setattr(console, "stdout", lambda: narrow)
    done = featkit("bench", DATA, *TINY, "--expect", 90_000)
    assert done.code == 0, done.err
    assert "images/s of the network alone" in done.out
    assert "fp32 torch" in done.out
    assert " *" in done.out
    assert "Time of 90,000 images" in done.out
    assert "Most of the time goes to" in done.out
    assert "Other images take other times" not in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_json_for_machines(featkit):
    done = featkit("bench", DATA, *TINY, "--limit", 50, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["images"] <= 50
    (speed,) = found["backbones"]
    assert speed["spec"] == "featkit:tiny"
    assert speed["expected_seconds"] > speed["ready_s"] > 0
    assert [way["taken"] for way in speed["ways"]] == [True]


def test_without_data_photographs_are_drawn(featkit, monkeypatch):
    monkeypatch.setattr("featkit.speed._drawn._COUNT", 4)
    done = featkit("bench", *TINY, "--expect", 100)
    assert done.code == 0, done.err
    assert "drawn photographs, 600 × 450 px" in done.out
    assert "featkit bench DATA" in done.out


def test_a_backbone_without_weights_is_timed_with_random_ones(featkit):
    done = featkit("bench", DATA, "-b", "featkit:small-cnn", "--device", "cpu")
    assert done.code == 0, done.err
    assert "are not on this machine: random ones were timed" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nowhere"], 1, "nowhere does not exist"),
        ([DATA, "-b", "no_such_net"], 1, "no_such_net"),
        ([DATA, *TINY, "--expect", "0"], 2, "'--expect'"),
        ([DATA, "-b", "featkit:tiny", "--device", "tpu"], 2, "--device tpu"),
        ([DATA, *TINY, "--decoder", "gpu"], 2, "--decoder gpu: cpu is no NVIDIA GPU"),
    ],
)
def test_bad_input_gets_one_line(featkit, arguments, code, message):
    done = featkit("bench", *arguments)
    assert done.code == code
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""
