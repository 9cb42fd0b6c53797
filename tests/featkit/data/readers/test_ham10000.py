import shutil
from pathlib import Path

import pytest

from featkit.data import ImageError, load_dataset
from featkit.errors import DataError


def test_reads_kaggles_layout_in_the_tables_order(ham10000):
    data = load_dataset(ham10000)
    assert data.name == "ham10000:ham"
    assert data.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert data.image_id.tolist() == ["ISIC_3", "ISIC_1", "ISIC_2", "ISIC_4"]
    assert [data.classes[label] for label in data.label] == ["mel", "mel", "nv", "akiec"]
    assert data.group.tolist() == ["HAM_1", "HAM_1", "HAM_2", "HAM_3"]
    assert data.metadata["age"].tolist() == ["80.0", "80.0", "", "55.0"]
    assert set(data.metadata) == {"dx_type", "age", "sex", "localization"}
    assert data.split is None
    assert data.unlisted == ()


def test_every_row_has_its_own_file(ham10000):
    data = load_dataset(ham10000)
    for row, name in enumerate(data.image_id):
        (path,) = ham10000.rglob(f"{name}.*")
        assert data.images.signature(row).startswith(f"{path.stat().st_size}-")
        assert data.images.read(row).size == load_dataset(ham10000).images.read(row).size


@pytest.mark.parametrize("name", ["HAM10000_metadata", "HAM10000_metadata.tab"])
def test_reads_the_dataverses_tab_separated_table(ham10000, name):
    kaggle = load_dataset(ham10000)
    csv = ham10000 / "HAM10000_metadata.csv"
    text = csv.read_text()
    csv.unlink()
    quoted = "\n".join("\t".join(f'"{cell}"' for cell in line.split(",")) for line in text.split())
    (ham10000 / name).write_text(quoted)
    assert load_dataset(ham10000).fingerprint == kaggle.fingerprint


def test_images_may_lie_in_one_folder_or_a_level_deeper(ham10000):
    kaggle = load_dataset(ham10000).fingerprint
    deeper = ham10000 / "HAM10000_images_part_1"
    moved = ham10000 / "moved"
    deeper.rename(moved)
    deeper.mkdir()
    moved.rename(deeper / "HAM10000_images_part_1")
    assert load_dataset(ham10000).fingerprint == kaggle
    for path in list(ham10000.rglob("ISIC_*")):
        path.rename(ham10000 / path.name)
    for folder in ham10000.glob("HAM10000_images*"):
        shutil.rmtree(folder)
    assert load_dataset(ham10000).fingerprint == kaggle


def test_a_copy_of_the_images_in_a_second_folder_is_reported_as_extra(ham10000):
    # Kaggle's archive holds both spellings of the folder.
    shutil.copytree(ham10000 / "HAM10000_images_part_1", ham10000 / "ham10000_images_part_1")
    data = load_dataset(ham10000)
    assert set(data.unlisted) == {
        "ham10000_images_part_1/ISIC_1.jpg",
        "ham10000_images_part_1/ISIC_2.jpg",
    }


def test_masks_and_hidden_files_are_no_images(ham10000, put_images):
    put_images(ham10000 / "HAM10000_segmentations_lesion_tschandl", ["ISIC_1_segmentation.png"])
    put_images(ham10000 / "HAM10000_images_part_1", ["._ISIC_2.jpg"])
    assert load_dataset(ham10000).unlisted == ()


def test_another_table_of_the_format_may_be_given_itself(ham10000, put_images, put_table):
    put_images(ham10000 / "ISIC2018_Task3_Test_Images", ["ISIC_9.jpg"])
    table = put_table(
        ham10000 / "ISIC2018_Task3_Test_GroundTruth.csv",
        [("lesion_id", "image_id", "dx"), ("T_1", "ISIC_9", "vasc")],
    )
    assert load_dataset(ham10000).name == "ham10000:ham"
    test = load_dataset(table)
    assert test.image_id.tolist() == ["ISIC_9"]
    assert test.unlisted == ()


def test_a_missing_image_keeps_its_row_and_an_extra_one_is_listed(ham10000):
    (ham10000 / "HAM10000_images_part_2" / "ISIC_3.JPG").rename(
        ham10000 / "HAM10000_images_part_2" / "ISIC_5.jpg"
    )
    data = load_dataset(ham10000)
    assert len(data) == 4
    with pytest.raises(ImageError, match="file not found"):
        data.images.read(0)
    assert data.images.signature(0) == ""
    assert data.unlisted == ("HAM10000_images_part_2/ISIC_5.jpg",)


def test_metadata_without_the_images(ham10000):
    for path in list(ham10000.rglob("ISIC_*")):
        path.unlink()
    message = r"none of the 4 images of HAM10000_metadata.csv.*part_1, .*part_2\. Unpack"
    with pytest.raises(DataError, match=message):
        load_dataset(ham10000)


def test_images_without_metadata(ham10000):
    (ham10000 / "HAM10000_metadata.csv").unlink()
    with pytest.raises(DataError, match="holds no HAM10000 metadata: looked for HAM10000_metadata"):
        load_dataset(ham10000)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "nv,",
            "naevus,",
            "label 'naevus' of image ISIC_2 is no known class: the classes are akiec",
        ),
        ("nv,", ",", "label '' of image ISIC_2 is no known class"),
        ("ISIC_4", "ISIC_3", r"occur more than once \(ISIC_3: rows 1, 4\)"),
        ("ISIC_4", "", "row 4 has no image id"),
        ("dx,", "diagnosis,", "has no column 'dx': its columns are lesion_id, image_id, diagnosis"),
        ("histo,80.0", "histo,,80.0", "line 2 has 8 cells where the header has 7"),
        ("lesion_id", "image_id", "two columns have the same name"),
    ],
)
def test_names_what_is_wrong_in_the_table(ham10000, old, new, message):
    table = ham10000 / "HAM10000_metadata.csv"
    table.write_text(table.read_text().replace(old, new, 1))
    with pytest.raises(DataError, match=message):
        load_dataset(ham10000)


def test_an_image_without_lesion_is_a_group_of_its_own(ham10000):
    table = ham10000 / "HAM10000_metadata.csv"
    table.write_text(table.read_text().replace("HAM_3", ""))
    assert load_dataset(ham10000).group.tolist() == ["HAM_1", "HAM_1", "HAM_2", "ISIC_4"]


def test_the_fingerprint_does_not_depend_on_where_the_data_lie(ham10000, tmp_path, monkeypatch):
    before = load_dataset(ham10000).fingerprint
    moved = ham10000.rename(tmp_path / "elsewhere")
    assert load_dataset(moved).fingerprint == before
    monkeypatch.chdir(moved)
    here = load_dataset(".")
    assert here.fingerprint == before
    assert here.name == "ham10000:elsewhere"
    assert here.images.read(0).mode == "RGB"


@pytest.mark.shared
def test_the_real_data_set():
    root = Path(__file__).resolve().parents[4].parent / "shared" / "ham10000"
    if not root.is_dir():
        pytest.skip("the real HAM10000 is not there (../shared/ham10000)")
    data = load_dataset(root)
    assert len(data) == 10_015
    assert len(set(data.group)) == 7_470
    counts = dict(zip(data.classes, (sum(data.label == c) for c in range(7)), strict=True))
    # Table 1 of Tschandl et al. (2018).
    assert counts == {
        "akiec": 327, "bcc": 514, "bkl": 1099, "df": 115, "mel": 1113, "nv": 6705, "vasc": 142,
    }  # fmt: skip
    assert data.unlisted == ()
    assert data.images.read(10_014).size == (200, 150)


def test_loose_images_are_found_beside_the_folder_of_another_table(tmp_path, put_images, put_table):
    put_images(tmp_path, ["ISIC_1.jpg", "ISIC2018_Task3_Test_Images/ISIC_9.jpg"])
    rows = [("lesion_id", "image_id", "dx"), ("HAM_1", "ISIC_1", "mel")]
    put_table(tmp_path / "HAM10000_metadata", rows)
    data = load_dataset(tmp_path)
    assert data.images.read(0).size == (8, 6)
