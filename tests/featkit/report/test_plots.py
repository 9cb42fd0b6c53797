import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from PIL import Image

from featkit.report import plot_class_recall, plot_learning_curves, write_comparison


@pytest.mark.parametrize("kind", ["learning", "recall"])
def test_plots_are_readable_files_with_the_names_in_them(comparison, tmp_path, kind):
    if kind == "learning":
        paths = plot_learning_curves(comparison, tmp_path / "plot")
        expected = {"alpha", "beta", "linear", "mlp"}
    else:
        paths = plot_class_recall(comparison, tmp_path / "plot", methods=comparison.methods)
        expected = {"mel (40 test images)", *comparison.methods}
    png, svg = paths
    with Image.open(png) as image:
        assert min(image.size) > 400
        assert len(image.getcolors(2**24) or []) > 50
    text = svg.read_text()
    ElementTree.fromstring(text)
    assert all(name in text for name in expected)


def test_the_same_comparison_gives_the_same_bytes(comparison, tmp_path):
    first = plot_learning_curves(comparison, tmp_path / "a")[1].read_bytes()
    assert plot_learning_curves(comparison, tmp_path / "b")[1].read_bytes() == first


def test_a_random_split_is_marked_in_red(comparison, tmp_path):
    _, svg = plot_learning_curves(replace(comparison, split="random"), tmp_path / "plot")
    assert re.search(r"#c1121f[^>]*>RANDOM SPLIT", svg.read_text())


def test_all_files_are_written(comparison, tmp_path):
    names = sorted(path.name for path in write_comparison(comparison, tmp_path / "out"))
    assert names == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert len(names) == 7
