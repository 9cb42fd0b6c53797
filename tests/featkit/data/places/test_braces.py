import pytest

from featkit.data.places import expand_braces


@pytest.mark.parametrize(
    ("pattern", "paths"),
    [
        ("a.tar", ["a.tar"]),
        ("a-{8..11}.tar", ["a-8.tar", "a-9.tar", "a-10.tar", "a-11.tar"]),
        ("a-{098..101}.tar", ["a-098.tar", "a-099.tar", "a-100.tar", "a-101.tar"]),
        (
            "s3://b/{train,val}/{0..1}.tar",
            [f"s3://b/{p}/{n}.tar" for p in ("train", "val") for n in "01"],
        ),
        ("odd{x}{}", ["odd{x}{}"]),
        ("{3..1}", ["3", "2", "1"]),
    ],
)
def test_paths_as_a_shell_expands_them(pattern, paths):
    assert expand_braces(pattern) == paths
