import json
from dataclasses import replace

import numpy as np
import pytest

from featkit.errors import StoreError
from featkit.runs import HeldOut, RunStore


def test_a_run_comes_back_as_it_was(tmp_path, make_run):
    run, store = make_run(), RunStore(tmp_path)
    store.save(run)
    back = store.find(run.key)
    assert back is not None
    assert back.key == run.key
    assert (back.classes, back.cost, back.chosen) == (run.classes, run.cost, run.chosen)
    assert (back.train_lesions, back.train_images, back.split) == (7, 9, "grouped")
    assert back.test.fingerprint == run.test.fingerprint
    np.testing.assert_array_equal(back.probabilities, run.probabilities)
    assert back.probabilities.dtype == np.float32


def test_held_out_predictions_come_back(tmp_path, make_run):
    held_out = HeldOut(np.array([0, 2], dtype=np.int16), np.full((2, 3), 1 / 3, dtype=np.float32))
    run, store = replace(make_run(), frozen=False, held_out=held_out), RunStore(tmp_path)
    store.save(run)
    back = store.find(run.key)
    assert back is not None
    assert not back.frozen
    assert back.held_out is not None
    np.testing.assert_array_equal(back.held_out.label, held_out.label)
    np.testing.assert_array_equal(back.held_out.probabilities, held_out.probabilities)


def test_runs_of_the_first_schema_stay_readable(tmp_path, make_run):
    run, store = make_run(), RunStore(tmp_path)
    store.save(run)
    path = store.path(run.key)
    with np.load(path) as arrays:
        parts = dict(arrays)
    facts = json.loads(str(parts["facts"]))
    facts["schema"] = 1
    del facts["frozen"]
    parts["facts"] = np.array(json.dumps(facts))
    np.savez(path, **parts)
    back = store.find(run.key)
    assert back is not None
    assert back.frozen
    assert back.held_out is None


def test_missing_and_other_runs_are_not_found(tmp_path, make_run):
    store = RunStore(tmp_path)
    assert store.find(make_run().key) is None
    store.save(make_run())
    assert store.find(make_run(draw=2).key) is None


@pytest.mark.parametrize("kept", [0, 10, 500, -1])
def test_a_damaged_run_is_made_again_but_never_compared(tmp_path, make_run, kept):
    run, store = make_run(), RunStore(tmp_path)
    store.save(run)
    path = store.path(run.key)
    path.write_bytes(path.read_bytes()[:kept])
    assert store.find(run.key) is None
    with pytest.raises(StoreError, match="damaged or incomplete"):
        list(store)


def test_probabilities_that_do_not_fit_the_test_set_are_damage(tmp_path, make_run):
    run, store = make_run(), RunStore(tmp_path)
    store.save(replace(run, probabilities=run.probabilities[:-1]))
    assert store.find(run.key) is None


def test_a_newer_schema_is_refused_with_a_reason(tmp_path, make_run):
    run, store = make_run(), RunStore(tmp_path)
    store.save(run)
    path = store.path(run.key)
    with np.load(path) as arrays:
        parts = dict(arrays)
    facts = json.loads(str(parts["facts"]))
    facts["schema"] = 99
    parts["facts"] = np.array(json.dumps(facts))
    np.savez(path, **parts)
    with pytest.raises(StoreError, match="a newer featkit wrote it"):
        RunStore.read(path)


def test_the_file_holds_no_pickle(tmp_path, make_run):
    store = RunStore(tmp_path)
    store.save(make_run())
    with np.load(store.path(make_run().key), allow_pickle=False) as arrays:
        assert all(arrays[name].dtype != object for name in arrays.files)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(StoreError, match="does not exist"):
        RunStore.read(tmp_path / "none.npz")


@pytest.mark.parametrize("seed", range(40))
def test_flipped_bytes_are_damage_or_harmless_never_another_error(tmp_path, make_run, seed):
    run, store = make_run(), RunStore(tmp_path)
    store.save(run)
    path = store.path(run.key)
    content = bytearray(path.read_bytes())
    for place in np.random.default_rng(seed).integers(0, len(content), 3):
        content[place] ^= 0xFF
    path.write_bytes(content)
    found = store.find(run.key)
    if found is not None:
        np.testing.assert_array_equal(found.probabilities, run.probabilities)


def test_folds_and_draws_are_read_from_the_names(tmp_path, make_run):
    store = RunStore(tmp_path)
    assert store.folds_and_draws() == (0, 0)
    store.save(make_run(fold=2, draw=4, budget=0.5))
    store.save(make_run(fold=0, draw=6))
    assert store.folds_and_draws() == (3, 7)
    assert store.any_run() is not None
