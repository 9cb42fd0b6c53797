"""`featkit run`."""

from __future__ import annotations

import json

STUDY = """
[data]
spec = "synthetic:images=90,size=32"

[backbones]
tiny = { spec = "featkit:tiny", image_size = 32 }

[extract]
precision = "fp32"

[design]
budgets = 100
draws = 1
folds = 3

[report]
resamples = 100

[arms.original.design]
split = "random"

[arms.original.fit.frozen]
heads = "linear"
"""


def test_bundled_studies_are_listed_with_their_numbers(featkit):
    listed = featkit("run", "--list")
    assert listed.code == 0
    assert "scaling-laws" in listed.out and "0.9007" in listed.out and "no number" in listed.out
    names = [study["name"] for study in json.loads(featkit("run", "--list", "--json").out)]
    assert len(names) == 5 and "small-cnn-28px" in names


def test_a_study_is_tried_run_and_done(featkit, tmp_path):
    path, out = tmp_path / "mine.toml", tmp_path / "out"
    path.write_text(STUDY)
    options = ("run", path, "--out", out, "--device", "cpu")
    dry = featkit(*options, "--dry-run")
    assert dry.code == 0
    assert "pending" in dry.out and "1 Runs to be made" in dry.out and "a trial of" in dry.out
    assert "random split" in dry.out
    assert not out.exists()
    done = featkit(*options, "--jobs", 1, "--workers", 1)
    assert done.code == 0
    assert "leaks" in done.out and "1 Runs trained" in done.out
    assert "[1/4] extract tiny" in done.err
    state = json.loads(featkit(*options, "--dry-run", "--json").out)
    assert {step["state"] for step in state["steps"]} == {"done"}
    assert (state["runs_missing"], state["runs_kept"], state["seconds"]) == (0, 1, 0)
    again = json.loads(featkit(*options, "--json").out)
    assert (again["trained"], again["reused"], again["random"]) == (0, 1, ["original"])
    changed = featkit(*options, "--set", "design.budgets=50,100", "--dry-run")
    assert "partly (1 of 2 Runs)" in changed.out
    assert "changed: design.budgets: 100 -> 50,100" in changed.err


def test_wrong_usage_is_told_in_a_line(featkit, tmp_path):
    nothing = featkit("run")
    assert nothing.code == 2 and "no study was named" in nothing.err
    unknown = featkit("run", "scaling-law")
    assert unknown.code == 2 and "did you mean scaling-laws" in unknown.err
    nowhere = featkit("run", "scaling-laws", "--out", tmp_path / "out")
    assert nowhere.code == 2 and "Say where they are with --data" in nowhere.err
    path = tmp_path / "wrong.toml"
    path.write_text(STUDY.replace("draws", "drawz"))
    wrong = featkit("run", path)
    assert wrong.code == 2 and "design.drawz" in wrong.err and "did you mean draws" in wrong.err
    assert wrong.err.count("\n") == 1
