from pathlib import Path

import pytest

from featkit.studies._paths import rebase


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("images", "/study/images"),
        ("csv:t.csv", "csv:/study/t.csv"),
        ("s3://bucket/ham", "s3://bucket/ham"),
        ("ham10000:s3://bucket/ham", "ham10000:s3://bucket/ham"),
        ("synthetic:images=50", "synthetic:images=50"),
    ],
)
def test_paths_of_data_are_below_the_study_and_urls_stay(spec, expected):
    raw = {"data": {"spec": spec, "images": "im", "lesions": "https://host/l.csv"}}
    rebase(raw, Path("/study"))
    assert raw["data"] == {
        "spec": expected,
        "images": "/study/im",
        "lesions": "https://host/l.csv",
    }
