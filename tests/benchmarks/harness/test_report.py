import json
from io import StringIO

import pytest
from rich.console import Console

from benchmarks.harness import Measurement, Report, Table

TABLE = Table("Speed", ["who", "images/s"], [["a|b", "12 [11–13]"], ["[c]", "1"]], ["A note."])


@pytest.fixture
def report():
    report = Report("speed", {"rounds": 2}, tables=[TABLE])
    rounds = [{"a": Measurement(10, seconds)} for seconds in (1.0, 2.0)]
    report.keep("case", rounds, {"a": [Measurement(1, 0.5, facts={"way": "x"})]})
    report.summary["none"] = float("nan")
    return report


def test_markdown_has_a_row_each_and_numbers_to_the_right():
    lines = TABLE.markdown().splitlines()
    assert lines[0] == "## Speed"
    assert lines[2:6] == [
        "| who | images/s |",
        "| --- | ---: |",
        "| a\\|b | 12 [11–13] |",
        "| [c] | 1 |",
    ]
    assert lines[-1] == "A note."


def test_json_holds_every_round(report, tmp_path):
    paths = report.write(tmp_path / "new")
    data = json.loads(paths[0].read_text())
    assert [path.name for path in paths] == ["speed.json", "speed.md"]
    assert [each["a"]["seconds"] for each in data["raw"]["case"]["rounds"]] == [1.0, 2.0]
    assert data["raw"]["case"]["trials"]["a"][0]["facts"] == {"way": "x"}
    assert data["summary"]["none"] is None
    assert data["tables"][0]["rows"][0] == ["a|b", "12 [11–13]"]
    assert {"date", "cpu", "cores", "gpu", "python", "versions"} <= data["machine"].keys()


def test_the_circumstances_stand_below_the_tables(report):
    text = report.markdown()
    assert text.startswith("# Benchmark: speed\n")
    assert f"Measured {report.machine['date']}" in text
    assert "Settings: rounds 2." in text
    assert f"torch {report.machine['versions']['torch']}" in text


def test_the_terminal_shows_brackets_as_they_are(report):
    shown = StringIO()
    report.show(Console(file=shown, width=120))
    assert "[11–13]" in shown.getvalue()
    assert "[c]" in shown.getvalue()


def test_plots_are_drawn_beside(report, tmp_path):
    report.plots["curve.png"] = lambda path: path.write_bytes(b"drawn")
    assert report.write(tmp_path)[-1].read_bytes() == b"drawn"
