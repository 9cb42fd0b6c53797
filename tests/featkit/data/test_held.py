import pickle

import numpy as np
import pytest

from featkit.data import FileImages, ImageError
from featkit.data.held import HeldImages


@pytest.fixture
def held(tmp_path):
    (tmp_path / "a").write_bytes(b"one")
    (tmp_path / "b").write_bytes(b"two")
    return HeldImages.of(FileImages([tmp_path / "a", tmp_path / "gone", tmp_path / "b"]))


def test_content_and_failures_are_kept(held, tmp_path):
    (tmp_path / "a").unlink()
    for images in (held, pickle.loads(pickle.dumps(held))):
        assert len(images) == 3
        assert (images.data(0), images.data(2)) == (b"one", b"two")
        with pytest.raises(ImageError, match="file not found"):
            images.data(1)


def test_selection_and_signatures(held):
    some = held.select(np.array([2, 0]))
    assert [some.data(0), some.data(1)] == [b"two", b"one"]
    assert held.signature(1) == ""
    assert len({held.signature(0), held.signature(2)}) == 2
    assert some.signature(1) == held.signature(0)
