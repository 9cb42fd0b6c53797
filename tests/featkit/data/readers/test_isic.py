import pytest

from featkit.data import load_dataset
from featkit.errors import DataError

HEADER_2018 = ("image", "MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")
HEADER_2019 = ("image", "MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")


def one_hot(header, labels):
    return [
        header,
        *((name, *(float(column == label) for column in header[1:])) for name, label in labels),
    ]


@pytest.fixture
def isic2018(tmp_path, put_images, put_table):
    root = tmp_path / "isic"
    put_images(root / "ISIC2018_Task3_Training_Input", ["ISIC_1.jpg", "ISIC_2.jpg", "ISIC_3.jpg"])
    labels = [("ISIC_1", "MEL"), ("ISIC_2", "AKIEC"), ("ISIC_3", "MEL")]
    put_table(root / "ISIC2018_Task3_Training_GroundTruth.csv", one_hot(HEADER_2018, labels))
    return root


def names_of(data):
    return [data.classes[label] for label in data.label]


def test_reads_2018_with_the_classes_of_ham10000(isic2018):
    data = load_dataset(isic2018)
    assert data.name == "isic:isic"
    assert data.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert names_of(data) == ["mel", "akiec", "mel"]
    assert data.group.tolist() == data.image_id.tolist()
    assert data.images.read(2).size == (10, 6)


def test_finds_the_lesion_groupings_beside_it(isic2018, put_table):
    put_table(
        isic2018 / "ISIC2018_Task3_Training_LesionGroupings.csv",
        [
            ("image", "lesion_id", "diagnosis_confirm_type"),
            ("ISIC_3", "HAM_7", "histopathology"),
            ("ISIC_1", "HAM_7", "histopathology"),
        ],
    )
    data = load_dataset(isic2018)
    assert data.group.tolist() == ["HAM_7", "ISIC_2", "HAM_7"]
    assert data.metadata["diagnosis_confirm_type"].tolist() == [
        "histopathology",
        "",
        "histopathology",
    ]


def test_lesion_groupings_by_option(isic2018, put_table, tmp_path):
    rows = [("image", "lesion_id"), ("ISIC_2", "L"), ("ISIC_1", "L"), ("ISIC_3", "")]
    lesions = put_table(tmp_path / "other.csv", rows)
    data = load_dataset(isic2018, lesions=lesions)
    assert data.group.tolist() == ["L", "L", "ISIC_3"]


@pytest.mark.parametrize(
    "rows", [[("image", "lesion_id"), ("X", "L")], [("image", "l"), ("ISIC_1", "L")]]
)
def test_lesion_groupings_of_other_images_are_refused(isic2018, put_table, tmp_path, rows):
    lesions = put_table(tmp_path / "other.csv", rows)
    with pytest.raises(DataError, match=r"other.csv names no lesion of ISIC2018_Task3_Training_Gr"):
        load_dataset(isic2018, lesions=lesions)


def test_reads_2019_with_lesions_from_the_metadata(tmp_path, put_images, put_table):
    put_images(tmp_path / "ISIC_2019_Training_Input", ["A_downsampled.jpg", "B.jpg"])
    labels = [("A_downsampled", "SCC"), ("B", "AK")]
    put_table(tmp_path / "ISIC_2019_Training_GroundTruth.csv", one_hot(HEADER_2019, labels))
    put_table(
        tmp_path / "ISIC_2019_Training_Metadata.csv",
        [
            ("image", "age_approx", "anatom_site_general", "lesion_id", "sex"),
            ("B", "55.0", "anterior torso", "", "female"),
            ("A_downsampled", "30.0", "", "MSK4_1", "male"),
        ],
    )
    data = load_dataset(tmp_path)
    assert data.classes == ("ak", "bcc", "bkl", "df", "mel", "nv", "scc", "vasc")
    assert names_of(data) == ["scc", "ak"]
    assert data.group.tolist() == ["MSK4_1", "B"]
    assert data.metadata["sex"].tolist() == ["male", "female"]


def test_unk_is_a_class_where_an_image_has_it(tmp_path, put_images, put_table):
    put_images(tmp_path / "ISIC_2019_Test_Input", ["A.jpg"])
    put_table(tmp_path / "ISIC_2019_Test_GroundTruth.csv", one_hot(HEADER_2019, [("A", "UNK")]))
    assert names_of(load_dataset(tmp_path)) == ["unk"]


@pytest.mark.parametrize("inside", [False, True])
def test_one_of_several_parts_is_given_by_its_table(isic2018, put_images, put_table, inside):
    name = "ISIC2018_Task3_Test_GroundTruth"
    put_images(isic2018 / "ISIC2018_Task3_Test_Input", ["ISIC_9.jpg"])
    folder = isic2018 / name if inside else isic2018
    table = put_table(folder / f"{name}.csv", one_hot(HEADER_2018, [("ISIC_9", "NV")]))
    with pytest.raises(DataError, match=r"several ground truths: found .*Test.*Give one of them"):
        load_dataset(isic2018)
    data = load_dataset(table)
    assert names_of(data) == ["nv"]
    assert data.unlisted == ()
    assert data.images.read(0).size == (8, 6)


@pytest.mark.parametrize("deep", [False, True])
def test_a_test_set_without_ground_truth_has_no_labels(tmp_path, put_images, put_table, deep):
    put_images(tmp_path / "ISIC_2019_Test_Input", ["A.jpg", "B.jpg"])
    rows = [("image", "age_approx"), ("A", "40.0"), ("B", "")]
    put_table(tmp_path / "ISIC_2019_Test_Metadata.csv", rows)
    data = load_dataset(tmp_path / "ISIC_2019_Test_Input" if deep else tmp_path)
    assert data.label.tolist() == [-1, -1]
    assert data.classes == ()
    assert data.metadata["age_approx"].tolist() == ["40.0", ""]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (
            "ISIC_3,0,0,0,0,0,0,0",
            r"1 images have not exactly one label, first ISIC_3 \(zeros only\)",
        ),
        ("ISIC_3,1,1,0,0,0,0,0", r"first ISIC_3 \(.*MEL=1"),
        ("ISIC_3,.5,.5,0,0,0,0,0", r"first ISIC_3 \(MEL=0.5, NV=0.5\)"),
        ("ISIC_3,x,0,0,0,0,0,0", "diagnoses: a cell is no number"),
        ("ISIC_3,nan,0,0,0,0,0,0", r"first ISIC_3 \(MEL=nan\)"),
        ("ISIC_1,1,0,0,0,0,0,0", r"more than once \(ISIC_1: rows 1, 3\)"),
    ],
)
def test_rows_that_are_not_one_hot(isic2018, row, message):
    table = isic2018 / "ISIC2018_Task3_Training_GroundTruth.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([*lines[:-1], row]) + "\n")
    with pytest.raises(DataError, match=message):
        load_dataset(isic2018)


def test_a_ground_truth_with_other_columns_never_reads_as_unlabelled(isic2018):
    table = isic2018 / "ISIC2018_Task3_Training_GroundTruth.csv"
    table.write_text(table.read_text().replace("VASC", "WART"))
    with pytest.raises(DataError, match="not a one-hot table of diagnoses: WART is no diagnosis"):
        load_dataset(isic2018)


def test_ground_truth_without_the_images(isic2018):
    for path in isic2018.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(DataError, match=r"none of the 3 images of ISIC2018.*looked in .*Input"):
        load_dataset(isic2018)


def test_neither_ground_truth_nor_images(tmp_path):
    (tmp_path / "ISIC_2019_Test_Input").mkdir()
    with pytest.raises(DataError, match="holds neither a ground truth nor a folder"):
        load_dataset(f"isic:{tmp_path}")


def test_other_images_never_read_as_an_unlabelled_test_set(ham10000):
    with pytest.raises(DataError, match="holds neither a ground truth nor a folder ISIC"):
        load_dataset(f"isic:{ham10000}")


def test_weights_of_a_test_set_are_no_diagnoses(tmp_path, put_images, put_table):
    put_images(tmp_path / "ISIC_2019_Test_Input", ["ISIC_1.jpg", "ISIC_2.jpg"])
    header, *rows = one_hot(HEADER_2019, [("ISIC_1", "SCC"), ("ISIC_2", "UNK")])
    weights = ("score_weight", "validation_weight")
    table = put_table(
        tmp_path / "ISIC_2019_Test_GroundTruth.csv",
        [(*header, *weights), *((*row, "0.4", "0.0") for row in rows)],
    )
    for path in (tmp_path, table):
        data = load_dataset(path)
        assert names_of(data) == ["scc", "unk"]
        assert len(data.classes) == 9
