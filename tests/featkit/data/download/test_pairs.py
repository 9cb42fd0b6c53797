import pytest

from featkit.data.download._pairs import pairs_not_in, rewrite_pairs
from featkit.duplicates import read_pairs
from featkit.errors import DataError

HEADER = "similarity,from_img,to_img\n"


def test_file_names_become_ids(tmp_path):
    (tmp_path / "list.csv").write_text(HEADER + "0.9,a.jpg,b.jpg\n0.8,b.jpg,c.d.jpg")
    rewrite_pairs(tmp_path / "list.csv", tmp_path / "pairs.csv")
    assert read_pairs(tmp_path / "pairs.csv") == (("a", "b"), ("b", "c.d"))
    assert pairs_not_in(tmp_path / "pairs.csv") == (2, [])


def test_images_that_are_not_in_the_table_beside(ham10000):
    (ham10000 / "list.csv").write_text(HEADER + "0.9,ISIC_1.jpg,ISIC_9.jpg\n")
    rewrite_pairs(ham10000 / "list.csv", ham10000 / "pairs.csv")
    assert pairs_not_in(ham10000 / "pairs.csv") == (1, ["ISIC_9"])


@pytest.mark.parametrize("row", ["0.9,a.jpg,a.jpg", "0.9,,b.jpg"])
def test_a_row_that_makes_no_sense(tmp_path, row):
    (tmp_path / "list.csv").write_text(f"{HEADER}{row}\n")
    with pytest.raises(DataError, match="is no list of pairs"):
        rewrite_pairs(tmp_path / "list.csv", tmp_path / "pairs.csv")
    assert not (tmp_path / "pairs.csv").exists()


def test_another_table(tmp_path):
    (tmp_path / "list.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="no column 'from_img'"):
        rewrite_pairs(tmp_path / "list.csv", tmp_path / "pairs.csv")
