"""Data frames of Runs: types, values against independent ones, and what cannot be mixed."""

import json
import math

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from featkit.errors import DataError
from featkit.tables import prediction_table, run_table


def test_a_row_a_run_has_scores_and_costs_unrounded(make_precise_run):
    runs = [make_precise_run(draw) for draw in range(3)]
    table = run_table(runs)
    assert len(table) == 3
    for (_, row), run in zip(table.iterrows(), runs, strict=True):
        top = run.probabilities.argmax(axis=1)
        assert row["balanced_accuracy"] == pytest.approx(
            balanced_accuracy_score(run.test.label, top), abs=1e-12
        )
        assert row["macro_f1"] == pytest.approx(
            f1_score(run.test.label, top, average="macro"), abs=1e-12
        )
        assert (row["wall_s"], row["device_s"]) == (1 / 3, 2 / 3)
        assert row["digest"] == run.key.digest
        assert json.loads(row["chosen"]) == {"C": 0.1, "path": [1, 2]}
        assert json.loads(row["config"]) == {"imbalance": "weights"}


def test_types_do_not_depend_on_what_a_run_lacks(make_precise_run):
    whole, bare = make_precise_run(), make_precise_run(chosen={}, inputs={}, versions={})
    assert run_table([whole]).dtypes.equals(run_table([bare]).dtypes)
    types = run_table([bare]).dtypes
    assert types["fold"] == np.int64
    assert types["balanced_accuracy"] == np.float64
    assert isinstance(types["backbone_spec"], pd.StringDtype)
    assert run_table([bare])["backbone_spec"].isna().all()


def test_a_score_that_is_not_defined_is_nan(make_precise_run):
    run = make_precise_run()
    run.test.label[:] = 0
    assert math.isnan(run_table([run])["macro_auroc"][0])


def test_a_row_an_image_has_the_probabilities_as_they_were(make_precise_run):
    runs = [make_precise_run(draw) for draw in range(2)]
    table = prediction_table(runs)
    assert len(table) == 60
    assert (table["fold"].dtype, table["p_mel"].dtype) == (np.int16, np.float32)
    for run in runs:
        rows = table[table["run"] == run.key.file_name]
        found = rows[["p_bkl", "p_mel", "p_nv"]].to_numpy()
        np.testing.assert_array_equal(found, run.probabilities)
        assert rows["image_id"].tolist() == run.test.image_id.tolist()
        assert rows["group"].tolist() == run.test.group.tolist()
        assert rows["label"].tolist() == [run.classes[each] for each in run.test.label]
        top = found.argmax(axis=1)
        assert rows["predicted"].tolist() == [run.classes[each] for each in top]


def test_runs_of_other_classes_are_refused(make_precise_run):
    with pytest.raises(DataError, match="other classes"):
        prediction_table([make_precise_run(), make_precise_run(1, classes=("a", "b", "c"))])
