from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from featkit.duplicates import DuplicatePair, read_pairs, write_pairs
from featkit.duplicates.evidence import NOTHING, Evidence
from featkit.errors import DataError, StoreError

PAIR = DuplicatePair(
    images=("I1", "I2"),
    lesions=("L1", ""),
    labels=("nv", "mel"),
    similarity=0.81239,
    evidence=Evidence(
        inliers=40,
        correlation=0.912345,
        overlap=0.75,
        spread=50,
        scale=1.23456,
        rotation=-90.04,
        mirrored=True,
    ),
)
OTHER = replace(PAIR, images=("I3", "ä,4"), evidence=NOTHING)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "pairs.csv"
    write_pairs(path, [PAIR, OTHER])
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {
        "image_1": "I1",
        "image_2": "I2",
        "lesion_1": "L1",
        "lesion_2": "",
        "label_1": "nv",
        "label_2": "mel",
        "similarity": "0.8124",
        "inliers": "40",
        "correlation": "0.9123",
        "overlap": "0.75",
        "scale": "1.2346",
        "rotation": "-90.0",
        "mirrored": "yes",
        "confirmed": "yes",
    }
    assert rows[1]["image_2"] == "ä,4"
    assert rows[1]["confirmed"] == "no"
    assert read_pairs(path) == (("I1", "I2"),)


def test_a_table_without_pairs_is_no_error(tmp_path):
    path = tmp_path / "pairs.csv"
    write_pairs(path, [])
    assert read_pairs(path) == ()


def test_a_hand_made_table_needs_three_columns_only(tmp_path):
    path = tmp_path / "pairs.csv"
    text = "note,image_2,image_1,confirmed\nlooked at it, b ,a,yes\n,c,a,no\n"
    path.write_text("\ufeff" + text, encoding="utf-8")
    assert read_pairs(path) == (("a", "b"),)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"no table of pairs: it lacks the column image_1.*it has: none"),
        ("image_1,image_2,confirmd\na,b,yes\n", r"lacks the column confirmed.*confirmd"),
        ("image_1,image_2,confirmed\na,b\n", r"line 2: confirmed is ''. Write yes or no"),
        ("image_1,image_2,confirmed\na,b,maybe\n", r"line 2: confirmed is 'maybe'"),
        ("image_1,image_2,confirmed\na,,yes\n", r"line 2: an image id is missing"),
        ("image_1,image_2,confirmed\na,b,no\nc,c,yes\n", r"line 3: image c is paired with itself"),
    ],
)
def test_a_malformed_table_is_refused(tmp_path, text, message):
    path = tmp_path / "pairs.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message):
        read_pairs(path)


def test_what_is_no_text_is_refused(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_bytes(b"image_1,image_2,confirmed\n\xff\xfe\x00,b,yes\n")
    with pytest.raises(DataError, match="not CSV in UTF-8"):
        read_pairs(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"cannot read .*none\.csv: no such file"):
        read_pairs(tmp_path / "none.csv")


def test_a_file_where_a_folder_is_needed(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="Choose another place"):
        write_pairs(tmp_path / "file" / "pairs.csv", [PAIR])


def test_relabelled_needs_two_labels():
    assert PAIR.relabelled
    assert not replace(PAIR, labels=("nv", "nv")).relabelled
    assert not replace(PAIR, labels=("nv", "")).relabelled
