"""`featkit tables` and `featkit compare --format parquet`."""

import json

import pandas as pd
import pytest

pytest.importorskip("pyarrow", reason="needs the extra `parquet`")


@pytest.fixture
def folder(featkit, make_store, tmp_path):
    """Runs of `featkit fit` on a small store."""
    make_store()
    keys = ("--features-key", "features", "--group-key", "group", "--id-key", "image_id")
    options = ("--head", "linear", "--budgets", "25,100", "--draws", 2, "--folds", 3, "--jobs", 1)
    out = tmp_path / "fit"
    assert featkit("fit", tmp_path / "features.h5", *keys, *options, "--out", out).code == 0
    return out


def test_tables_hold_every_run_and_image(featkit, folder):
    done = featkit("tables", folder, "--json")
    assert done.code == 0, done.err
    assert [each["bytes"] > 0 for each in json.loads(done.out)] == [True, True]
    runs = pd.read_parquet(folder / "tables" / "runs.parquet")
    rows = pd.read_parquet(folder / "tables" / "predictions.parquet")
    results = pd.read_csv(folder / "results.csv")
    assert runs["balanced_accuracy"].round(5).tolist() == results["balanced_accuracy"].tolist()
    assert len(rows) == results["test_images"].sum()
    assert runs.attrs["featkit.plan"] == runs["plan"].unique().item()
    right = (rows["label"] == rows["predicted"]).groupby(rows["run"]).mean()
    assert right[runs["run"]].tolist() == pytest.approx(runs["accuracy"].tolist(), abs=1e-12)


def test_one_table_as_csv(featkit, folder, tmp_path):
    out = tmp_path / "out"
    done = featkit("tables", folder, "--table", "runs", "--format", "csv", "--out", out)
    assert done.code == 0
    assert [path.name for path in out.iterdir()] == ["runs.csv"]


def test_a_comparison_as_parquet_is_not_rounded(featkit, folder):
    assert featkit("compare", folder, "--resamples", 100, "--format", "parquet").code == 0
    assert featkit("compare", folder, "--resamples", 100).code == 0
    table = pd.read_parquet(folder / "comparison" / "comparison.parquet")
    rounded = pd.read_csv(folder / "comparison" / "comparison.csv")
    assert list(table) == list(rounded)
    assert table["value"].round(5).tolist() == rounded["value"].tolist()
    assert (table["value"] != table["value"].round(5)).any()
    assert table.attrs["featkit.table"] == "comparison"


def test_without_pyarrow_the_remedy_is_named_before_any_work(featkit, folder, monkeypatch):
    monkeypatch.setattr("featkit.tables.parquet.find_spec", lambda _: None)
    for command in ("tables", "compare"):
        done = featkit(command, folder, "--format", "parquet")
        assert done.code == 2
        assert "pip install 'featkit[parquet]'" in done.err
    assert not (folder / "comparison").exists()


def test_a_folder_without_runs(featkit, tmp_path):
    done = featkit("tables", tmp_path)
    assert done.code == 1
    assert "no Runs in" in done.err
