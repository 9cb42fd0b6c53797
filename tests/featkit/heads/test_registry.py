import pytest

import featkit.heads
from featkit.errors import UsageError
from featkit.heads import HEADS, Head, make_head


def test_heads_have_the_names_of_the_command_line():
    assert list(HEADS) == ["linear", "lightgbm", "mlp"]
    assert len(HEADS) == 3
    names = [HEADS[name].__name__ for name in HEADS]
    assert names == ["LinearHead", "LightGBMHead", "MLPHead"]
    assert all(issubclass(getattr(featkit.heads, name), Head) for name in names)


@pytest.mark.parametrize("name", ["linear", "lightgbm", "mlp"])
def test_made_head_has_its_options(name):
    head = make_head(name, imbalance="none", seed=3, n_jobs=2)
    assert type(head) is HEADS[name]
    assert (head.imbalance, head.random_state, head.n_jobs) == ("none", 3, 2)


def test_unknown_head_is_refused_with_the_known_names():
    with pytest.raises(UsageError, match=r"head 'svm'.*linear, lightgbm, mlp"):
        make_head("svm")


def test_unknown_attribute_of_the_room():
    with pytest.raises(AttributeError, match="no attribute 'ForestHead'"):
        featkit.heads.ForestHead  # noqa: B018
