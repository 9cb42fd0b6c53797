"""`featkit doctor`: a table or JSON, and an exit code."""

import json

import pytest

from featkit.doctor import Finding


@pytest.fixture
def findings(monkeypatch):
    """Have the examination find this."""
    found = [
        Finding("torch", "2.15.0"),
        Finding("memory", "0.5 GiB free [of 1]", "warn", "End other programs"),
    ]
    monkeypatch.setattr("featkit.doctor.examine", lambda *_, **__: found)
    return found


def test_lines_have_verdict_and_remedy(featkit, findings):
    done = featkit("doctor")
    assert done.code == 0
    assert "│ good │ torch" in done.out
    assert "End other programs" in done.out
    assert "1 good, 1 warning, 0 bad" in done.out


def test_a_bad_line_is_exit_code_1(featkit, findings):
    findings.append(Finding("HDF5", "cannot lock", "bad", "Set HDF5_USE_FILE_LOCKING=FALSE"))
    assert featkit("doctor").code == 1
    done = featkit("doctor", "--json")
    assert done.code == 1
    assert json.loads(done.out)[2] == {
        "name": "HDF5",
        "value": "cannot lock",
        "verdict": "bad",
        "remedy": "Set HDF5_USE_FILE_LOCKING=FALSE",
    }


def test_the_real_machine_is_examined_to_the_end(featkit, tmp_path):
    done = featkit("doctor", "--out", tmp_path / "results", "--json")
    found = {each["name"]: each for each in json.loads(done.out)}
    assert done.code == any(each["verdict"] == "bad" for each in found.values())
    assert {"Python", "cpu", "cores", "threads", "memory", "write access", "HDF5"} <= set(found)
    assert {"cache of torch.hub", "JPEG by simplejpeg", "disk for results"} <= set(found)
    assert found["write access"] == {
        "name": "write access",
        "value": str(tmp_path),
        "verdict": "good",
        "remedy": "",
    }
    assert not (tmp_path / "results").exists()
