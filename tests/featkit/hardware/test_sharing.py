from dataclasses import replace

import pytest

from featkit.errors import StoreError
from featkit.hardware.sharing import shared


def test_a_folder_that_is_seen_and_left_as_it_was(tmp_path):
    with shared(tmp_path) as folder:
        assert len(list(tmp_path.iterdir())) == 1
        folder.check()
        assert len(list(tmp_path.iterdir())) == 1
    assert not list(tmp_path.iterdir())


def test_a_folder_of_the_same_name(tmp_path):
    (tmp_path / "other").mkdir()
    with shared(tmp_path) as folder:
        other = replace(folder, path=tmp_path / "other")
        with pytest.raises(StoreError, match=r"does not see the folder .*other: .* share"):
            other.check()


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    with shared(tmp_path) as folder:
        monkeypatch.setattr("pathlib.Path.touch", refuse)
        with pytest.raises(StoreError, match=r"cannot write to .*: Permission denied"):
            folder.check()
