import sys

import pytest

from featkit.errors import UsageError
from featkit.hardware.cluster import Node, connected, kind_of

PLAIN, GPUS = Node("a", 8, 0), Node("b", 8, 2)


@pytest.mark.parametrize(
    ("device", "nodes", "expected"),
    [
        ("auto", [PLAIN], "cpu"),
        ("auto", [PLAIN, GPUS], "cuda"),
        ("cpu", [GPUS], "cpu"),
        ("cuda", [PLAIN, GPUS], "cuda"),
    ],
)
def test_the_workers_kind_of_device(device, nodes, expected):
    assert kind_of(device, nodes).type == expected


@pytest.mark.parametrize(
    ("device", "words"),
    [("cuda", "no machine of the cluster has a GPU"), ("cuda:1", "Ray gives each"), ("mps", "Ray")],
)
def test_devices_that_cannot_be_meant(device, words):
    with pytest.raises(UsageError, match=words):
        kind_of(device, [PLAIN])


def test_without_ray(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"Ray is not installed. Install featkit\[ray\]"):
        connected().__enter__()
