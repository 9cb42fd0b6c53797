import numpy as np
import pytest

from featkit.features._parts import Manifest, Part, PartFolder

MANIFEST = Manifest(
    attributes={"classes": ["ç"]},
    runtime="torch",
    faithfulness=None,
    batch_size=4,
    part_rows=8,
    fresh=False,
    job="ab12",
)


@pytest.fixture
def folder(tmp_path):
    found = PartFolder(tmp_path / "f.h5.parts")
    found.begin(MANIFEST)
    return found


def part(rows=3):
    return Part(
        features=np.arange(rows * 10, dtype=np.float16).reshape(rows, 2, 5),
        image_hash=np.array(["ab" * 16] * rows),
        reason=np.array([""] * rows),
        spent=np.array([1.5, 0.5, 1e9]),
    )


def test_what_is_written_is_read(folder):
    folder.write(2, part())
    found = folder.read(2, (3, 2, 5))
    for name in ("features", "image_hash", "reason", "spent"):
        np.testing.assert_array_equal(getattr(found, name), getattr(part(), name), strict=True)
    assert folder.manifest() == MANIFEST


def test_missing_or_of_another_shape(folder):
    folder.write(2, part())
    assert folder.read(1, (3, 2, 5)) is None
    assert folder.read(2, (4, 2, 5)) is None
    assert folder.read(2, (3, 5, 2)) is None


def test_any_cut_or_changed_byte_is_found(folder):
    folder.write(0, part())
    [file] = folder.path.glob("part-*.npz")
    content = file.read_bytes()
    rng = np.random.default_rng(0)
    for place in rng.integers(0, len(content), 60):
        file.write_bytes(content[:place])
        assert folder.read(0, (3, 2, 5)) is None
        changed = bytearray(content)
        changed[place] ^= 1
        file.write_bytes(changed)
        found = folder.read(0, (3, 2, 5))
        if found is not None:
            np.testing.assert_array_equal(found.features, part().features)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"attributes": {}}'])
def test_a_manifest_that_cannot_be_trusted(folder, text):
    (folder.path / "manifest.json").write_text(text)
    assert folder.manifest() is None


def test_removing_spares_what_others_put_there(folder):
    folder.write(0, part())
    (folder.path / ".part-000001.npz.77.tmp").write_text("half")
    (folder.path / "notes.txt").write_text("mine")
    folder.remove()
    assert [item.name for item in folder.path.iterdir()] == ["notes.txt"]
    (folder.path / "notes.txt").unlink()
    folder.remove()
    assert not folder.path.exists()
    folder.remove()
