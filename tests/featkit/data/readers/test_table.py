import pytest

from featkit.data import CsvColumns, ImageError, load_dataset, unlabelled_columns
from featkit.errors import DataError


@pytest.fixture
def table(tmp_path, put_images, put_table):
    put_images(tmp_path / "pictures", ["x.png", "sub/y.jpg", "z.jpg"])
    return put_table(
        tmp_path / "list.csv",
        [
            ("photo", "kind", "patient", "name", "part", "age"),
            ("pictures/x.png", "cat", "p1", "one", "train", "3"),
            ("pictures/sub/y", "dog", "p1", "two", "TEST", "4"),
            ("pictures/none.png", "", "", "three", "validation", ""),
        ],
    )


COLUMNS = CsvColumns("photo", "kind", group="patient", id="name", split="part")


def test_reads_named_columns(table):
    data = load_dataset(table, columns=COLUMNS)
    assert data.name == "csv:list.csv"
    assert data.image_id.tolist() == ["one", "two", "three"]
    assert data.classes == ("cat", "dog")
    assert data.label.tolist() == [0, 1, -1]
    assert data.label.dtype == "int16"
    assert data.group.tolist() == ["p1", "p1", "three"]
    assert data.split.tolist() == ["train", "test", "val"]
    assert {name: column.tolist() for name, column in data.metadata.items()} == {
        "age": ["3", "4", ""]
    }
    assert data.unlisted == ("pictures/z.jpg",)
    assert data.images.read(1).size == (9, 6)
    with pytest.raises(ImageError, match="file not found"):
        data.images.read(2)


def test_columns_make_any_table_a_csv(table, put_images):
    forced = load_dataset(f"csv:{table}", columns=COLUMNS)
    assert load_dataset(str(table), columns=COLUMNS).fingerprint == forced.fingerprint


def test_paths_start_from_a_root(table, tmp_path):
    moved = tmp_path / "elsewhere" / "list.csv"
    moved.parent.mkdir()
    table.rename(moved)
    with pytest.raises(
        DataError, match=r"none of the 3 images .*pictures/x.png.*looked from .*else"
    ):
        load_dataset(moved, columns=COLUMNS)
    data = load_dataset(moved, columns=CsvColumns("photo", "kind", root=tmp_path))
    assert data.images.read(0).size == (8, 6)
    assert data.image_id.tolist()[0] == "pictures/x.png"


def test_absolute_paths(tmp_path, put_images, put_table):
    put_images(tmp_path / "far", ["x.png"])
    table = put_table(tmp_path / "t" / "l.csv", [("path", "label"), (tmp_path / "far/x.png", "a")])
    assert load_dataset(table).images.read(0).size == (8, 6)


def test_usual_columns_are_found(tmp_path, put_images, put_table):
    put_images(tmp_path, ["a.png", "b.png"])
    rows = [
        ("id", "path", "lesion_id", "label"),
        ("i", "a.png", "l", "7"),
        ("j", "b.png", "l", "10"),
    ]
    data = load_dataset(put_table(tmp_path / "list.tsv", rows, delimiter="\t"))
    assert data.image_id.tolist() == ["i", "j"]
    assert data.group.tolist() == ["l", "l"]
    assert data.classes == ("7", "10")


def test_unusual_columns_are_listed(table):
    with pytest.raises(
        DataError, match=r"no column called image, .*its columns are photo, kind, pat"
    ):
        load_dataset(f"csv:{table}")


@pytest.mark.parametrize("field", ["image", "label", "group", "id", "split"])
def test_a_column_that_is_not_there(table, field):
    names = {"image": "photo", "label": "kind", field: "nowhere"}
    with pytest.raises(DataError, match=r"no column 'nowhere': its columns are photo, kind, pat"):
        load_dataset(table, columns=CsvColumns(**names))


def test_an_unknown_split(table):
    table.write_text(table.read_text().replace("TEST", "holdout"))
    with pytest.raises(DataError, match="'holdout' is no split: the names known are train"):
        load_dataset(table, columns=COLUMNS)


def test_two_rows_of_one_image(table):
    table.write_text(table.read_text().replace("two", "one"))
    with pytest.raises(DataError, match=r"occur more than once \(one: rows 1, 2\)"):
        load_dataset(table, columns=COLUMNS)


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "it holds no rows"),
        (b"photo,kind\n", "it holds no rows"),
        (b"photo,kind\n\xff\xfe,a\n", "it is not UTF-8 text"),
        (b'photo,kind\n"a,b\n', "unexpected end of data"),
        (b"photo,kind\na\n", "line 2 has 1 cells where the header has 2"),
    ],
)
def test_tables_that_cannot_be_read(tmp_path, content, cause):
    table = tmp_path / "bad.csv"
    table.write_bytes(content)
    with pytest.raises(DataError, match=f"cannot read the table .*bad.csv: {cause}"):
        load_dataset(f"csv:{table}", columns=COLUMNS)


def test_byte_order_mark_semicolons_quotes_and_blanks(tmp_path, put_images):
    put_images(tmp_path, ["a;b.png"])
    table = tmp_path / "excel.csv"
    table.write_text('\ufeffimage;label\r\n"a;b.png"; x \r\n\r\n')
    data = load_dataset(table)
    assert data.classes == ("x",)
    assert data.images.read(0).size == (8, 6)


def test_naming_columns_does_not_lose_the_lesions(tmp_path, put_images, put_table):
    put_images(tmp_path, ["a.png", "b.png"])
    rows = [("photo", "dx", "lesion_id"), ("a.png", "nv", "L1"), ("b.png", "nv", "L1")]
    data = load_dataset(put_table(tmp_path / "t.csv", rows), columns=CsvColumns("photo", "dx"))
    assert data.group.tolist() == ["L1", "L1"]
    assert not data.metadata


def test_a_table_that_names_no_labels(tmp_path, put_images, put_table):
    put_images(tmp_path, ["x.png", "y.jpg"])
    path = put_table(tmp_path / "t.csv", [("id", "image"), ("one", "y.jpg"), ("two", "x.png")])
    columns = unlabelled_columns(path)
    data = load_dataset(path, columns=columns)
    assert data.image_id.tolist() == ["one", "two"]
    assert (data.label.tolist(), data.classes) == ([-1, -1], ())
    labelled = put_table(tmp_path / "l.csv", [("image", "label"), ("x.png", "a")])
    other = put_table(tmp_path / "o.csv", [("pixel0", "pixel1"), ("1", "2")])
    assert [unlabelled_columns(each) for each in (labelled, other, tmp_path)] == [None] * 3
