import numpy as np
import pytest

from featkit.data import load_dataset
from featkit.errors import DataError

CODES = {"akiec": 0, "bcc": 1, "bkl": 2, "df": 3, "nv": 4, "vasc": 5, "mel": 6}


@pytest.fixture
def put_pixels(tmp_path):
    def put(pixels, labels, name="hmnist_28_28_RGB.csv"):
        flat = pixels.reshape(len(pixels), -1)
        header = ",".join([*(f"pixel{n:04d}" for n in range(flat.shape[1])), "label"])
        lines = [",".join(map(str, [*row, label])) for row, label in zip(flat, labels, strict=True)]
        path = tmp_path / name
        path.write_text("\n".join([header, *lines]) + "\n")
        return path

    return put


@pytest.mark.parametrize("shape", [(28, 28, 3), (8, 8, 3), (28, 28), (8, 8)])
def test_reads_pixels_and_labels(put_pixels, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (7, *shape), dtype=np.uint8)
    data = load_dataset(put_pixels(pixels, CODES.values()))
    assert data.name == "hmnist:hmnist_28_28_RGB.csv"
    assert [data.classes[label] for label in data.label] == list(CODES)
    assert data.classes == ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
    assert len(set(data.group)) == 7
    for row in range(7):
        expected = pixels[row] if len(shape) == 3 else np.repeat(pixels[row, :, :, None], 3, 2)
        np.testing.assert_array_equal(np.asarray(data.images.read(row)), expected)


@pytest.mark.parametrize("agrees", [True, False])
def test_lesions_come_from_the_table_only_where_the_diagnoses_agree(
    put_pixels, put_table, tmp_path, agrees
):
    path = put_pixels(np.zeros((3, 8, 8), dtype=np.uint8), [6, 6, 4])
    last = "nv" if agrees else "mel"
    put_table(
        tmp_path / "HAM10000_metadata.csv",
        [
            ("lesion_id", "image_id", "dx", "sex"),
            ("L1", "I1", "mel", "male"),
            ("L1", "I2", "mel", "male"),
            ("L2", "I3", last, "female"),
        ],
    )
    data = load_dataset(path)
    assert (data.group.tolist() == ["L1", "L1", "L2"]) is agrees
    assert (data.image_id.tolist() == ["I1", "I2", "I3"]) is agrees
    assert list(data.metadata) == (["sex"] if agrees else [])
    assert len(set(data.group)) == (2 if agrees else 3)


def test_a_table_of_another_length_is_left_alone(put_pixels, put_table, tmp_path):
    path = put_pixels(np.zeros((2, 8, 8), dtype=np.uint8), [6, 6])
    rows = [("lesion_id", "image_id", "dx"), ("L", "I", "mel")]
    put_table(tmp_path / "HAM10000_metadata.csv", rows)
    assert len(set(load_dataset(path).group)) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\n0,0,0,0,6", "\n0,0,0,0,7", "label '7' of image row-00000 is no known class"),
        ("\n0,0,0,0,6", "\n0,256,0,0,6", "cannot read the pixels"),
        ("\n0,0,0,0,6", "\n0,x,0,0,6", "cannot read the pixels"),
        ("\n0,0,0,0,6", "\n0,0,0,6", "its rows have 4 cells, its header 5"),
        ("\n0,0,0,0,6\n", "\n", "cannot read the pixels of .*: loadtxt: input contained no data"),
        ("pixel0003,", "pixel0003,pixel0004,", "lacks the columns pixel0000"),
        ("label", "name", "lacks the columns pixel0000"),
    ],
)
def test_names_what_is_wrong(put_pixels, old, new, message):
    path = put_pixels(np.zeros((1, 2, 2), dtype=np.uint8), [6])
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DataError, match=message):
        load_dataset(f"hmnist:{path}")
