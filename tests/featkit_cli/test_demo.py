import json

import pytest


@pytest.mark.long
def test_the_demo_runs_continues_and_takes_another_size(featkit, tmp_path):
    """The whole job on a small sample; a second sample does not meet the first one's files."""
    out = tmp_path / "demo"
    first = featkit("demo", "--out", out, "--images", 300, "--jobs", 1)
    assert first.code == 0, first.err
    assert "tiny / lightgbm" in first.out
    assert "these numbers show the tool, not skin" in first.out
    assert f"Look at {out / 'comparison' / 'learning_curve.png'}" in first.out
    assert "tiny: first two components" in (out / "report.html").read_text()
    again = featkit("demo", "--out", out, "--images", 300, "--jobs", 1, "--json")
    assert json.loads(again.out) == json.loads((out / "comparison/comparison.json").read_text())
    features = set(out.glob("*.h5"))
    other = featkit("extract", "synthetic:images=310", "-b", "featkit:tiny", "--out", *features)
    assert other.code == 1
    assert "data set differs" in other.err
