import pytest

from featkit.naming import backbone_name, counted, duration, row_name, row_parts


@pytest.mark.parametrize(
    ("spec", "options", "expected"),
    [
        ("timm:resnet50.a1_in1k", {}, "resnet50.a1_in1k"),
        ("hf-hub:timm/vit_tiny", {}, "vit_tiny"),
        ("local-dir:/data/my net/", {}, "my net"),
        ("local-dir:models/r18", {"pooling": "cls+avg"}, "r18+cls+avg"),
        ("featkit:tiny", {"random_weights": True}, "tiny+random"),
        ("timm:vit", {"pooling": "avg", "random_weights": True}, "vit+avg+random"),
        ("bare", {}, "bare"),
        ("local-dir:", {}, "local-dir:"),
        ("", {}, "arch"),
    ],
)
def test_names_for_tables(spec, options, expected):
    given = {"pooling": "default", "random_weights": False, **options}
    assert backbone_name(spec, "arch", given.pop("pooling"), **given) == expected


def test_one_thing_is_not_several():
    assert [counted(n, "image") for n in (0, 1, 2, 1234)] == [
        "0 images", "1 image", "2 images", "1,234 images",
    ]  # fmt: skip


@pytest.mark.parametrize("backbone", ["resnet50", "made / by others", ""])
def test_a_row_tells_its_backbone_and_its_method(backbone):
    assert row_parts(row_name(backbone, "linear+views")) == (backbone, "linear+views")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (0.4, "0 s"),
        (89.4, "89 s"),
        (90, "2 min"),
        (5_400, "1.5 h"),
        (129_600, "1.5 days"),
        (1e9, "11,574.1 days"),
    ],
)
def test_durations_have_about_two_figures(seconds, expected):
    assert duration(seconds) == expected
