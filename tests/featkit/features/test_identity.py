import pytest

from featkit.features.identity import differences, identity_of, job_attributes


@pytest.fixture
def job(fakes):
    def make(*, backbone=None, precision="fp32", views=1, **dataset):
        return job_attributes(
            fakes.dataset(20, **dataset),
            fakes.backbone(**(backbone or {})),
            precision=precision,
            views=views,
        )

    return make


CHANGES = [
    {"backbone": {"architecture": "large"}},
    {"backbone": {"weights_sha256": "cd" * 32}},
    {"backbone": {"pooling": "avg"}},
    {"precision": "bf16"},
    {"views": 3},
    {"version": "2"},
]


@pytest.mark.parametrize("change", CHANGES)
def test_each_change_is_one_difference_and_another_identity(job, change):
    assert len(differences(job(), job(**change))) == 1
    assert identity_of(job()) != identity_of(job(**change))


def test_what_does_not_matter(job):
    moved = job(backbone={"spec": "local-dir:/elsewhere"})
    assert differences(job(), moved) == []
    assert identity_of(job()) == identity_of(moved)


def test_auto_fits_any_precision_but_is_found_in_none(job):
    for precision in ("fp32", "bf16", "fp16"):
        assert differences(job(precision="auto"), job(precision=precision)) == []


def test_all_differences_are_named(job):
    found = differences(job(), job(views=2, precision="fp16", backbone={"pooling": "cls"}))
    assert [text.split(" differs")[0] for text in found] == [
        "pooling", "precision", "number of views",
    ]  # fmt: skip
