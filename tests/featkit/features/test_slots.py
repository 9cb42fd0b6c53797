import pytest
import torch

from featkit.errors import UsageError
from featkit.features._slots import Slot, slots_of
from featkit.hardware.cluster import Node

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
HEAD, SMALL, LARGE, GPUS = Node("a", 0, 0), Node("b", 2, 0), Node("c", 64, 0), Node("d", 48, 4)


def test_a_worker_for_each_group_of_cores():
    assert slots_of([HEAD, SMALL], CPU) == [Slot("b", 2, 0)]
    assert slots_of([LARGE, SMALL], CPU) == [*[Slot("c", 16, 0)] * 4, Slot("b", 2, 0)]
    assert sum(place.cores for place in slots_of([Node("e", 17, 0)], CPU)) <= 17


def test_a_worker_for_each_gpu_with_its_share_of_the_cores():
    assert slots_of([GPUS, LARGE], CUDA) == [Slot("d", 12, 1)] * 4
    assert slots_of([Node("e", 1, 2)], CUDA) == [Slot("e", 0, 1)] * 2


def test_no_cores():
    with pytest.raises(UsageError, match="no cores to give away"):
        slots_of([HEAD], CPU)
