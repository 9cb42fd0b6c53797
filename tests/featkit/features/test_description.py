import json

import pytest

from featkit.errors import StoreError
from featkit.features import FeatureStore, describe


def test_it_says_what_is_there(whole):
    found = describe(FeatureStore.open(whole))
    assert (found["images"], found["views"], found["dimension"]) == (600, 2, 12)
    assert (found["done"], found["failed"]) == (598, 2)
    assert found["failures"] == {"0 bytes": 1, "not an image": 1}
    assert found["by_class"] == {"a": 150, "b": 150, "ç": 150}
    assert found["unlabelled"] == 150
    assert found["groups"] == 300
    assert found["split"] == {"train": 500, "test": 100}
    assert found["bytes"] == whole.stat().st_size
    assert found["checksums"] == "all right"
    assert found["attributes"]["backbone"]["spec"] == "fake:small"
    json.dumps(found)


def test_damage_is_found_unless_nobody_asks(whole, tmp_path):
    content = whole.read_bytes()
    copy = tmp_path / "f.h5"
    copy.write_bytes(content)
    opened = FeatureStore.open(copy)
    describe(opened, verify=False)  # its columns are in memory from here on
    copy.write_bytes(content[:-100])
    assert describe(opened, verify=False)["checksums"] == "not checked"
    with pytest.raises(StoreError, match="cut short"):
        describe(opened)
