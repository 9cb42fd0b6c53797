from dataclasses import fields, replace

import pytest

from featkit.runs import RunKey


def test_every_field_but_the_display_name_makes_another_run(make_run):
    key = make_run().key
    others = {
        "method": "mlp",
        "fold": 1,
        "budget": 50.0,
        "draw": 2,
        "config": {"imbalance": "none"},
        "source": "other",
        "plan": "other",
        "test": "other",
    }
    assert set(others) | {"backbone"} == {field.name for field in fields(RunKey)}
    digests = {replace(key, **{name: value}).digest for name, value in others.items()}
    assert len(digests | {key.digest}) == len(others) + 1
    assert replace(key, backbone="renamed").digest == key.digest


@pytest.mark.parametrize(("budget", "part"), [(0.5, "b0.5"), (100.0, "b100")])
def test_file_name_says_what_it_is(make_run, budget, part):
    name = make_run(budget=budget).key.file_name
    assert name.startswith(f"linear-f0-{part}-d1-")
    assert name.endswith(".npz")


def test_test_set_fingerprint_depends_on_labels_and_groups(make_run):
    test = make_run().test
    changed = {
        replace(test, image_id=test.image_id[::-1]).fingerprint,
        replace(test, group=test.group[::-1]).fingerprint,
        replace(test, label=test.label[::-1]).fingerprint,
    }
    assert len(changed | {test.fingerprint}) == 4
