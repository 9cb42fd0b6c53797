import resource
import subprocess
import sys
import time

import pytest
import torch

from featkit.errors import UsageError
from featkit.hardware.devices import (
    available_cores,
    default_batch,
    device_name,
    peak_memory,
    resolve_device,
    resolve_devices,
    worked_seconds,
)


@pytest.mark.parametrize(
    ("gpus", "mps", "expected"),
    [(2, False, "cuda:0"), (0, True, "mps"), (1, True, "cuda:0"), (0, False, "cpu")],
)
def test_auto_takes_the_fastest(monkeypatch, gpus, mps, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert resolve_device("auto") == torch.device(expected)
    assert resolve_device("cpu") == torch.device("cpu")
    if gpus:
        assert resolve_device("cuda") == torch.device("cuda:0")
        with pytest.raises(UsageError, match=r"cuda:2: this computer.*cuda:0"):
            resolve_device("cuda:2")


def test_devices_that_are_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(UsageError, match="--device cuda: PyTorch finds no usable NVIDIA GPU"):
        resolve_device("cuda")
    for name in ("gpu", "cuda:", "cuda:x", "CPU", ""):
        with pytest.raises(UsageError, match=r"no such kind of device.*Use one of: auto, "):
            resolve_device(name)


def test_what_a_cpu_is(monkeypatch):
    cpu = torch.device("cpu")
    assert device_name(cpu).startswith("cpu: ")
    assert device_name(cpu).endswith(f"{available_cores()} cores")
    assert default_batch(cpu) == 32
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    assert used <= peak_memory(cpu) < used + (64 << 20)


def test_a_cpu_works_while_its_cores_do_and_not_while_it_waits():
    cpu, began = torch.device("cpu"), time.perf_counter()
    start = worked_seconds(cpu)
    time.sleep(0.2)
    waited = worked_seconds(cpu) - start
    while worked_seconds(cpu) - start < waited + 0.1:
        sum(range(1000))
    assert waited < 0.15
    assert time.perf_counter() - began > 0.2


def test_the_work_of_processes_that_ended_is_counted():
    cpu = torch.device("cpu")
    start = worked_seconds(cpu)
    code = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-I", "-c", code], check=True)
    assert worked_seconds(cpu) - start >= 0.3


def test_a_gpu_is_waited_for_and_then_the_wall_clock_counts(monkeypatch):
    waits = []
    monkeypatch.setattr(torch.cuda, "synchronize", waits.append)
    gpu, before = torch.device("cuda:1"), time.perf_counter()
    assert before <= worked_seconds(gpu) <= time.perf_counter()
    assert waits == [gpu]
    worked_seconds(torch.device("mps"))
    assert waits == [gpu]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("auto", ["cuda:0", "cuda:2"]),
        ("cuda", ["cuda:0", "cuda:2"]),
        ("cuda:1", ["cuda:1"]),
        ("cpu", ["cpu"]),
    ],
)
def test_all_gpus_of_the_first_ones_kind(monkeypatch, name, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(
        torch.cuda, "get_device_name", lambda device: ["H200", "T4", "H200"][device.index]
    )
    assert resolve_devices(name) == tuple(torch.device(each) for each in expected)
