"""Files of tables: what pandas and Arrow read is what was there."""

import numpy as np
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import featkit.tables.writing as writing
from featkit.errors import DataError, StoreError, UsageError
from featkit.runs import RunStore
from featkit.tables import prediction_table, run_table, write_tables

parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra `parquet`")


@pytest.fixture(params=[2, 64])
def at_once(request, monkeypatch):
    """Have so many Runs in memory at a time."""
    monkeypatch.setattr(writing, "_AT_ONCE", request.param)
    return request.param


def test_parquet_gives_the_same_frames_back(run_folder, tmp_path, at_once):
    paths = write_tables([run_folder], tmp_path / "out")
    assert [path.name for path in paths] == ["runs.parquet", "predictions.parquet"]
    runs = list(RunStore(run_folder))
    assert_frame_equal(pd.read_parquet(paths[0]), run_table(runs))
    back = pd.read_parquet(paths[1])
    assert_frame_equal(back, prediction_table(runs))
    assert back["p_mel"].dtype == np.float32
    assert parquet.ParquetFile(paths[1]).num_row_groups == (3 if at_once == 2 else 1)


def test_the_schema_says_what_the_table_is_of(run_folder, tmp_path):
    path = write_tables([run_folder], tmp_path, tables=["predictions"])[0]
    facts = parquet.read_schema(path).metadata
    assert facts[b"featkit.plan"] == b"plan1"
    assert facts[b"featkit.table"] == b"predictions"
    attrs = pd.read_parquet(path).attrs
    assert attrs["featkit.plan"] == "plan1"
    assert attrs["featkit.schema"] == "1"
    assert attrs["featkit.version"][0].isdigit() or attrs["featkit.version"] == "unknown"


def test_csv_loses_no_digit(run_folder, tmp_path, at_once):
    paths = write_tables([run_folder], tmp_path, form="csv")
    runs = list(RunStore(run_folder))
    table = pd.read_csv(paths[0])
    wanted = run_table(runs)
    for name in ("balanced_accuracy", "macro_auroc", "wall_s", "ece"):
        # pandas' quick parser of numbers may be off by the last bit, the file is not.
        np.testing.assert_allclose(table[name], wanted[name], rtol=1e-15)
    rows = pd.read_csv(paths[1], dtype={"p_bkl": np.float32})
    assert rows["p_bkl"].tolist() == prediction_table(runs)["p_bkl"].tolist()


def test_folders_are_written_one_below_the_other(run_folder, tmp_path, make_precise_run):
    other = RunStore(tmp_path / "other")
    other.save(make_precise_run(9))
    path = write_tables([run_folder, other.folder], tmp_path / "out", tables=["runs"])[0]
    assert pd.read_parquet(path)["draw"].tolist() == [0, 1, 2, 3, 4, 9]


def test_predictions_of_other_classes_are_refused_before_any_file(
    run_folder, tmp_path, make_precise_run
):
    other = RunStore(tmp_path / "other")
    other.save(make_precise_run(classes=("a", "b", "c")))
    with pytest.raises(DataError, match="other classes"):
        write_tables([run_folder, other.folder], tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert len(
        pd.read_parquet(*write_tables([run_folder, other.folder], tmp_path, tables=["runs"]))
    )


def test_what_cannot_be_written_is_refused_before_any_work(run_folder, tmp_path, monkeypatch):
    with pytest.raises(StoreError, match="no Runs in"):
        write_tables([tmp_path / "none"], tmp_path)
    with pytest.raises(UsageError, match="no such table"):
        write_tables([run_folder], tmp_path, tables=["rows"])
    monkeypatch.setattr("featkit.tables.parquet.find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"pip install 'featkit\[parquet\]'"):
        write_tables([run_folder], tmp_path / "out")
    assert write_tables([run_folder], tmp_path / "out", form="csv")


def test_a_damaged_run_leaves_no_half_table(run_folder, tmp_path):
    path = RunStore(run_folder).paths()[-1]
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(StoreError, match="damaged or incomplete"):
        write_tables([run_folder], tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
