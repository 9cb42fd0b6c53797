"""Runs in real stores of MLflow: a database file, and a server in a process of its own."""

import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import numpy as np
import pytest

from featkit.errors import StoreError, UsageError
from featkit.runs import RunStore
from featkit.tracking import track
from featkit.tracking._mlflow import Board

mlflow = pytest.importorskip("mlflow", reason="needs the extra `track`")
pytest.importorskip("sqlalchemy", reason="needs the extra `track`")


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory):
    """A database with MLflow's tables, which take seconds to make."""
    path = tmp_path_factory.mktemp("mlflow") / "empty.db"
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    mlflow.tracking.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path


@pytest.fixture
def uri(empty_database, tmp_path):
    """The address of a database of this test alone."""
    path = tmp_path / "tracking.db"
    path.write_bytes(empty_database.read_bytes())
    return f"sqlite:///{path}"


def logged(uri, name="featkit"):
    client = mlflow.tracking.MlflowClient(uri)
    return client.search_runs([client.get_experiment_by_name(name).experiment_id])


def test_every_run_is_logged_with_its_predictions(run_folder, uri, tmp_path):
    done = track([run_folder], uri=uri, experiment="lesions")
    assert (done.logged, done.there, done.experiment) == (5, 0, "lesions")
    runs = {run.key.digest: run for run in RunStore(run_folder)}
    found = logged(uri, "lesions")
    assert {run.data.tags["featkit.digest"] for run in found} == set(runs)
    client = mlflow.tracking.MlflowClient(uri)
    for each in found:
        run = runs[each.data.tags["featkit.digest"]]
        assert each.info.status == "FINISHED"
        assert each.data.params["draw"] == str(run.key.draw)
        right = (run.probabilities.argmax(axis=1) == run.test.label).mean()
        assert each.data.metrics["accuracy"] == pytest.approx(right)
        (file,) = client.list_artifacts(each.info.run_id)
        back = client.download_artifacts(each.info.run_id, file.path, str(tmp_path))
        probabilities = RunStore.read(type(run_folder)(back)).probabilities
        np.testing.assert_array_equal(probabilities, run.probabilities)
    assert (tmp_path / "tracking-files").is_dir()


def test_what_is_there_is_not_logged_again_and_new_runs_are(run_folder, uri, make_precise_run):
    assert track([run_folder], uri=uri).logged == 5
    again = track([run_folder], uri=uri)
    assert (again.logged, again.there) == (0, 5)
    RunStore(run_folder).save(make_precise_run(7))
    assert track([run_folder, run_folder], uri=uri).logged == 1
    assert len(logged(uri)) == 6


def test_an_interruption_leaves_no_half_run(run_folder, uri, monkeypatch):
    """Whatever is missing of a Run when it ends is added to it, not beside it."""
    upload = mlflow.tracking.MlflowClient.log_artifact
    count = iter(range(10))

    def fail(*given):
        if next(count) == 2:
            raise KeyboardInterrupt
        upload(*given)

    monkeypatch.setattr(mlflow.tracking.MlflowClient, "log_artifact", fail)
    with pytest.raises(KeyboardInterrupt):
        track([run_folder], uri=uri)
    assert sorted(run.info.status for run in logged(uri)) == ["FINISHED", "FINISHED", "RUNNING"]
    done = track([run_folder], uri=uri)
    assert (done.logged, done.there) == (3, 2)
    found = logged(uri)
    assert [run.info.status for run in found] == ["FINISHED"] * 5
    client = mlflow.tracking.MlflowClient(uri)
    for run in found:
        assert len(client.get_metric_history(run.info.run_id, "accuracy")) == 1


def test_all_pages_of_a_long_list_are_read(run_folder, uri, monkeypatch):
    track([run_folder], uri=uri, files=False)
    monkeypatch.setattr("featkit.tracking._mlflow._PAGE", 2)
    assert track([run_folder], uri=uri).there == 5


def test_many_classes_take_several_requests(uri, tmp_path, make_precise_run):
    classes = tuple(f"kind {place}" for place in range(130))
    store = RunStore(tmp_path / "many")
    store.save(make_precise_run(classes=classes))
    assert track([store.folder], uri=uri, files=False).logged == 1
    (run,) = logged(uri)
    assert sum(name.startswith("precision.kind") for name in run.data.metrics) == 130


def test_files_may_stay_here(run_folder, uri):
    track([run_folder], uri=uri, files=False)
    client = mlflow.tracking.MlflowClient(uri)
    assert client.list_artifacts(logged(uri)[0].info.run_id) == []


def test_the_address_may_come_from_the_environment(run_folder, uri, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert track([run_folder]).uri == uri
    assert len(logged(uri)) == 5


def test_nothing_global_is_changed(run_folder, uri, monkeypatch, capfd):
    monkeypatch.delenv("MLFLOW_DISABLE_TELEMETRY", raising=False)
    monkeypatch.chdir(run_folder)
    before = dict(os.environ), logging.getLogger("mlflow").level
    track([run_folder], uri=uri)
    assert (dict(os.environ), logging.getLogger("mlflow").level) == before
    assert mlflow.active_run() is None
    assert {path.name for path in run_folder.iterdir()} == {"runs"}
    assert "".join(capfd.readouterr()) == ""


def test_a_deleted_experiment_is_named(run_folder, uri):
    done = track([run_folder], uri=uri)
    mlflow.tracking.MlflowClient(uri).delete_experiment(done.experiment_id)
    with pytest.raises(UsageError, match="it was deleted there"):
        track([run_folder], uri=uri)


@pytest.mark.parametrize("uri", ["mlruns", "./mlruns", "file:///tmp/mlruns"])
def test_plain_folders_are_refused_with_a_remedy(run_folder, uri, monkeypatch):
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    with pytest.raises(UsageError, match=r"sqlite:///mlflow\.db"):
        track([run_folder], uri=uri)


def test_a_server_that_does_not_answer_is_found_out_at_once(run_folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(StoreError, match=f"cannot log to http://me:\\*\\*\\*@127.0.0.1:{port}"):
        track([run_folder], uri=f"http://me:secret@127.0.0.1:{port}")
    assert time.monotonic() - began < 8


SECRET = "hush/x%40y"


@pytest.mark.parametrize(
    ("uri", "package"),
    [
        ("postgresql+pg8000://me:{}@h/db", "pg8000"),
        ("mysql+pymysql://me:{}@h/db?ssl_key=k&password={}", "pymysql"),
        ("postgresql+psycopg2://me@h/db?sslpassword={}", "psycopg2-binary"),
    ],
)
def test_a_missing_driver_is_named_without_the_password(run_folder, monkeypatch, uri, package):
    monkeypatch.setitem(sys.modules, uri.partition("+")[2].partition(":")[0], None)
    with pytest.raises(UsageError) as caught:
        track([run_folder], uri=uri.replace("{}", SECRET))
    assert "driver is missing" in caught.value.cause
    assert f"pip install '{package}'" in caught.value.remedy
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["unknown://me:{}@h/x", "unknown://h/x?token={}", "sqlite+foo:///x.db?password={}"]
)
def test_what_the_client_says_is_told_without_the_password(run_folder, tmp_path, monkeypatch, uri):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError) as caught:
        track([run_folder], uri=uri.replace("{}", SECRET))
    assert "hush" not in str(caught.value)
    assert "unsupported URI" in caught.value.cause or "sqlite.foo" in caught.value.cause


def test_a_file_that_is_no_database_is_named(run_folder, tmp_path):
    (tmp_path / "notes.db").write_text("nothing that SQLite knows\n" * 99)
    with pytest.raises(StoreError, match="file is not a database"):
        track([run_folder], uri=f"sqlite:///{tmp_path}/notes.db")


@pytest.mark.parametrize("uri", ["http://me:hush@[::1", "postgresql://me:hush@h:port/db"])
def test_an_address_that_is_none_is_wrong_usage(run_folder, uri):
    with pytest.raises(UsageError, match="it is no address: ") as caught:
        track([run_folder], uri=uri)
    assert "hush" not in str(caught.value)


def test_what_is_missing_is_named(run_folder, monkeypatch):
    monkeypatch.setattr("featkit.tracking._mlflow.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'featkit\[track\]'"):
        track([run_folder], uri="sqlite:///x.db")


def test_an_experiment_that_somebody_else_makes_at_the_same_time_is_taken(
    run_folder, uri, monkeypatch
):
    client = mlflow.tracking.MlflowClient
    look, calls = client.get_experiment_by_name, []

    def late(self, name):
        calls.append(name)
        if len(calls) == 1:
            mlflow.tracking.MlflowClient(uri).create_experiment(name)
            return None
        return look(self, name)

    monkeypatch.setattr(client, "get_experiment_by_name", late)
    assert track([run_folder], uri=uri, files=False).logged == 5


def test_a_whole_run_stands_for_a_half_one_of_the_same_digest():
    def run(status):
        info = SimpleNamespace(run_id=status, status=status)
        return SimpleNamespace(info=info, data=SimpleNamespace(tags={"featkit.digest": "d"}))

    class Page(list):
        token = None

    for order in (["RUNNING", "FINISHED"], ["FINISHED", "RUNNING"]):
        pages = Page(map(run, order))
        board = Board(SimpleNamespace(search_runs=lambda *_, p=pages, **__: p), "1")
        assert board.known("plan") == {"d": ("FINISHED", True)}


@pytest.fixture
def server(empty_database, tmp_path):
    """The address of MLflow's own server."""
    pytest.importorskip("flask", reason="MLflow's server needs Flask")
    path = tmp_path / "server.db"
    path.write_bytes(empty_database.read_bytes())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "_MLFLOW_SERVER_FILE_STORE": f"sqlite:///{path}",
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(tmp_path / "server-files"),
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    code = f"from mlflow.server import app; app.run('127.0.0.1', {port}, threaded=True)"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, **settings},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{address}/health").close()
                break
            except OSError:
                assert process.poll() is None, "the server has ended"
                time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


@pytest.mark.slow
def test_a_server_gets_the_same_as_a_database(run_folder, server, tmp_path):
    assert track([run_folder], uri=server).logged == 5
    assert track([run_folder], uri=server).there == 5
    client = mlflow.tracking.MlflowClient(server)
    run = logged(server)[0]
    (file,) = client.list_artifacts(run.info.run_id)
    back = client.download_artifacts(run.info.run_id, file.path, str(tmp_path))
    assert RunStore.read(type(run_folder)(back)).key.digest == run.data.tags["featkit.digest"]
