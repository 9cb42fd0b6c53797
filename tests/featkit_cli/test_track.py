"""`featkit track`: Runs in a database of MLflow's, each once."""

import json

import numpy as np
import pytest

from featkit.runs import Cost, Run, RunKey, RunStore, TestSet

pytest.importorskip("mlflow", reason="needs the extra `track`")
pytest.importorskip("sqlalchemy", reason="needs the extra `track`")


@pytest.fixture
def folder(tmp_path):
    """An output folder with one Run."""
    test = TestSet("held-out fold", np.array(["I0"]), np.array(["L0"]), np.array([1], np.int16))
    run = Run(
        key=RunKey("linear", "net", 0, 100.0, 0, {}, "features", "plan"),
        classes=("mel", "nv"),
        test=test,
        probabilities=np.array([[0.25, 0.75]], np.float32),
        train_lesions=10,
        train_images=15,
        cost=Cost(1.0, 1.0, 15, 99, 512.0),
    )
    RunStore(tmp_path / "fit").save(run)
    return tmp_path / "fit"


def test_runs_go_to_a_database_in_artifacts_by_default(featkit, folder, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    done = featkit("track", folder)
    assert done.code == 0, done.err
    assert "experiment featkit: 1 Run logged, 0 were there" in done.out
    assert "Next: mlflow ui --backend-store-uri sqlite:///artifacts/mlflow.db" in done.out
    assert (tmp_path / "artifacts" / "mlflow.db").exists()
    assert "INFO" not in done.err
    again = featkit("track", folder, "--no-files", "--json")
    assert json.loads(again.out) == {
        "uri": "sqlite:///artifacts/mlflow.db",
        "experiment": "featkit",
        "experiment_id": "1",
        "logged": 0,
        "there": 1,
    }


def test_wrong_use_is_one_line(featkit, folder, tmp_path):
    done = featkit("track", folder, "--uri", "mlruns")
    assert (done.code, "plain folders" in done.err) == (2, True)
    done = featkit("track", tmp_path / "none")
    assert (done.code, "no Runs in" in done.err) == (1, True)
