from __future__ import annotations

import json

import numpy as np
import pytest

from featkit.errors import PlanError
from featkit.plans import Plan, make_plan


@pytest.fixture(params=["grouped", "random", "official"])
def plan(request, table):
    table["label"][::17] = -1
    side = np.where(table["group"] < "lesion050", "train", "test")
    side[np.isin(table["group"], np.unique(table["group"])[[61, 62, 81, 82]])] = "train"
    return make_plan(**table, folds=3, seed=5, official=side, split=request.param)


def test_round_trip(plan, tmp_path):
    plan.save(tmp_path / "plan.json", draws=2)
    loaded = Plan.load(tmp_path / "plan.json")
    assert loaded.fingerprint == plan.fingerprint
    for name in ("image_id", "label", "group", "fold_of"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(plan, name))
        assert getattr(loaded, name).dtype.kind == getattr(plan, name).dtype.kind
    for name in ("classes", "split", "seed", "folds", "dropped"):
        assert getattr(loaded, name) == getattr(plan, name)


def test_training_sets_can_be_read_without_featkit(table, tmp_path):
    plan = make_plan(**table)
    plan.save(tmp_path / "plan.json", folds=1, draws=2)
    content = json.loads((tmp_path / "plan.json").read_text())
    chosen: set[str] = set()
    for item in content["training_order"]:
        assert item["fold"] == 0
        if item["draw"] == 1:
            lesions = item["lesions"]
            chosen.update(lesions[: max(2, round(0.3 * len(lesions)))])
    trained = [image[0] for image in content["images"] if image[2] in chosen]
    assert sorted(trained) == plan.image_id[plan.train_rows(0, 30, 1)].tolist()


def test_more_folds_than_there_are_saves_all(table, tmp_path):
    plan = make_plan(**table, folds=2)
    plan.save(tmp_path / "plan.json", folds=9, draws=1)
    content = json.loads((tmp_path / "plan.json").read_text())
    assert {item["fold"] for item in content["training_order"]} == {0, 1}


def edit_label(content):
    content["images"][1][1] = "mel"


def edit_fold(content):
    content["images"][1][3] = (content["images"][1][3] + 1) % 5


def edit_seed(content):
    content["design"]["seed"] = 1


def edit_order(content):
    content["training_order"][0]["lesions"].reverse()


def edit_unknown_class(content):
    content["images"][1][1] = "naevus"


def drop_design(content):
    del content["design"]


def drop_column(content):
    content["images"][3].pop()


def no_images(content):
    content["images"] = []


def newer_schema(content):
    content["schema"] = 99


def wrong_fold_number(content):
    content["training_order"][0]["fold"] = 77


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (edit_label, "edited"),
        (edit_fold, "edited"),
        (edit_seed, "edited"),
        (edit_order, "edited"),
        (edit_unknown_class, "damaged"),
        (drop_design, "damaged"),
        (drop_column, "damaged"),
        (no_images, "damaged"),
        (wrong_fold_number, "damaged"),
        (newer_schema, "schema 99 is unknown to this version. Upgrade"),
    ],
)
def test_changed_file_is_refused(table, tmp_path, edit, message):
    path = tmp_path / "plan.json"
    make_plan(**table).save(path, draws=1)
    content = json.loads(path.read_text())
    edit(content)
    path.write_text(json.dumps(content))
    with pytest.raises(PlanError, match=message) as caught:
        Plan.load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"schema": 1}', "\x00\xff"])
def test_file_that_is_no_plan(tmp_path, text):
    path = tmp_path / "plan.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(PlanError, match="damaged"):
        Plan.load(path)


def test_a_damaged_plan_in_an_output_folder_says_how_to_go_on(tmp_path):
    (tmp_path / "plan.json").write_text('{"schema": 1')
    with pytest.raises(PlanError, match=r"Delete it .*`featkit fit` does so and keeps finished"):
        Plan.load(tmp_path / "plan.json")


def test_missing_file(tmp_path):
    with pytest.raises(PlanError, match="No such file"):
        Plan.load(tmp_path / "plan.json")


def test_names_in_any_script_survive(table, tmp_path):
    table["classes"] = ("Nävus", "黒色腫", 'quote"')
    plan = make_plan(**table)
    plan.save(tmp_path / "plan.json", draws=1)
    assert Plan.load(tmp_path / "plan.json").fingerprint == plan.fingerprint
