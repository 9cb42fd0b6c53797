import threading
from itertools import islice

import pytest
import torch

from featkit.errors import DataError
from featkit.features import _choosing
from featkit.features.rehearsal import rehearsed

CPU = (torch.device("cpu"),)


def rehearsal(fakes, dataset, **options):
    given = {"images": len(dataset), "views": 1, "workers": 2, **options}
    return rehearsed(dataset, fakes.backbone(), CPU, **given)


def decoders():
    return [thread for thread in threading.enumerate() if "featkit" in thread.name]


@pytest.mark.parametrize(
    ("count", "views", "expected"),
    [(100, 1, [32, 32, 32, 4, 32]), (100, 5, [6, 6, 6]), (3, 1, [3, 3, 3])],
)
def test_decoding_has_no_end(fakes, count, views, expected):
    with rehearsal(fakes, fakes.dataset(count), views=views) as rehearsed_:
        stream = rehearsed_.decoded()
        assert list(islice(stream, len(expected))) == expected
        stream.close()
    assert not decoders()


def test_each_way_computes_without_end(fakes, monkeypatch):
    monkeypatch.setattr(_choosing, "_WORK_S", {"cpu": 0.0})
    monkeypatch.setattr(_choosing, "_quicker", lambda *_: iter([_choosing.Way("bf16")]))
    with rehearsal(fakes, fakes.dataset(300), views=2) as rehearsed_:
        ways = list(rehearsed_.ways())
        assert [(way.precision, way.runtime) for way in ways] == [
            ("fp32", "torch"),
            ("bf16", "torch"),
        ]
        assert not ways[0].better
        assert 0 < ways[0].known_s < ways[1].known_s
        for stream in (ways[0].computed(), ways[1].computed(), ways[1].extracted()):
            assert list(islice(stream, 3)) == [16, 16, 16]
            stream.close()
    assert not decoders()


def test_no_readable_image(fakes):
    dataset = fakes.dataset(8, broken=dict.fromkeys(range(8), "0 bytes"))
    dataset.images.select = lambda _rows: dataset.images
    with rehearsal(fakes, dataset) as rehearsed_:
        (way,) = rehearsed_.ways()
        assert way.faithfulness is None
        with pytest.raises(DataError, match="none of 8 images tried of fake:noise can be read"):
            next(way.computed())
    assert not decoders()
