import numpy as np
import pytest

from featkit.data import ArrayImages, Dataset, class_table


def dataset(label, group, classes):
    n = len(label)
    return Dataset(
        name="test",
        images=ArrayImages(np.zeros((n, 1, 1), np.uint8)),
        image_id=np.array([f"I{row}" for row in range(n)]),
        label=np.array(label, np.int16),
        group=np.array(group),
        classes=classes,
    )


def test_a_row_for_each_class():
    rows = class_table(dataset([0, 0, 0, 2], ["a", "a", "b", "c"], ("x", "y", "z")))
    assert [row.name for row in rows] == ["x", "y", "z"]
    assert [row.images for row in rows] == [3, 0, 1]
    assert [row.lesions for row in rows] == [2, 0, 1]
    assert [row.share for row in rows] == [0.75, 0, 0.25]
    assert rows[0].images_per_lesion == pytest.approx(1.5)
    assert rows[1].images_per_lesion == 0
    assert rows[0].to_dict()["images_per_lesion"] == pytest.approx(1.5)


def test_unlabelled_images_have_a_row_of_their_own():
    rows = class_table(dataset([0, -1, -1], ["a", "b", "c"], ("x",)))
    assert [(row.name, row.images) for row in rows] == [("x", 1), ("(no label)", 2)]
