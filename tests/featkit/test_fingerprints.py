import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from featkit.fingerprints import fingerprint, stable_order, stable_seed


def test_known_values_never_change():
    """Runs and Plans on people's disks are found by these."""
    assert fingerprint("a", 1)[:16] == "fc4fa62ade967eec"
    assert stable_seed("a", 1) == 0xFC4FA62A
    assert stable_order(["a", "b", "c", "d"], 0).tolist() == [3, 2, 1, 0]


def test_parts_do_not_run_into_each_other():
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint(np.arange(4)) != fingerprint(np.arange(4).reshape(2, 2))
    assert fingerprint(np.array(["a", "b"])) != fingerprint(np.array(["ab"]))


def test_string_arrays_count_by_content_not_by_item_size():
    assert fingerprint(np.array(["a"], dtype="U1")) == fingerprint(np.array(["a"], dtype="U9"))


@given(st.lists(st.text(max_size=5), unique=True), st.text(max_size=5), st.integers())
def test_order_of_the_others_stays_when_a_key_is_added(keys, extra, salt):
    before = [keys[index] for index in stable_order(keys, salt)]
    more = [*keys, extra] if extra not in keys else keys
    after = [more[index] for index in stable_order(more, salt)]
    assert [key for key in after if key in keys] == before


@given(st.lists(st.text(max_size=5), unique=True, min_size=1))
def test_order_does_not_depend_on_the_order_of_the_keys(keys):
    turned = keys[::-1]
    assert [keys[i] for i in stable_order(keys)] == [turned[i] for i in stable_order(turned)]
