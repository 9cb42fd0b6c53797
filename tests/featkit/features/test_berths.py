import pytest
import torch

from featkit.errors import UsageError
from featkit.features._berths import Berth, berths_of
from featkit.hardware.cluster import Node

CPU, CUDA = torch.device("cpu"), torch.device("cuda", 0)
HEAD, SMALL, LARGE, GPUS = Node("a", 0, 0), Node("b", 2, 0), Node("c", 64, 0), Node("d", 48, 4)


def test_a_worker_for_each_group_of_cores():
    assert berths_of([HEAD, SMALL], CPU) == [Berth("b", 2, 0)]
    assert berths_of([LARGE, SMALL], CPU) == [*[Berth("c", 16, 0)] * 4, Berth("b", 2, 0)]
    assert sum(berth.cores for berth in berths_of([Node("e", 17, 0)], CPU)) <= 17


def test_a_worker_for_each_gpu_with_its_share_of_the_cores():
    assert berths_of([GPUS, LARGE], CUDA) == [Berth("d", 12, 1)] * 4
    assert berths_of([Node("e", 1, 2)], CUDA) == [Berth("e", 0, 1)] * 2


def test_no_cores():
    with pytest.raises(UsageError, match="no cores to give away"):
        berths_of([HEAD], CPU)
