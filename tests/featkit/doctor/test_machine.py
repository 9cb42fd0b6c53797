"""Cores, threads, memory and devices."""

import os
import resource
from pathlib import Path
from types import SimpleNamespace

import pytest

import featkit.doctor._cores as cores_module
import featkit.doctor._memory as memory_module

GIB = 1 << 30


@pytest.fixture
def eight_cores(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(cores_module, "cpu_quota", lambda: None)
    for name in ("FEATKIT_CORES", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)


def test_cores_are_those_of_the_affinity(look, eight_cores):
    assert look("cores")["cores"].value == "8 of the machine's 16"


@pytest.mark.parametrize(
    ("quota", "fair", "verdict"), [(2.0, 2, "warn"), (0.5, 1, "warn"), (8.0, 8, "good")]
)
def test_a_quota_below_the_cores_is_a_warning(look, eight_cores, monkeypatch, quota, fair, verdict):
    monkeypatch.setattr(cores_module, "cpu_quota", lambda: quota)
    found = look("cores")["cores"]
    assert found.verdict == verdict
    assert f"time for {quota:g} by" in found.value
    if verdict == "warn":
        assert f"FEATKIT_CORES={fair} " in found.remedy
        monkeypatch.setenv("FEATKIT_CORES", str(fair))
        assert look("cores")["cores"].verdict == "good"


@pytest.mark.parametrize("text", ["many", "0", "-2", ""])
def test_a_wrong_number_of_cores_is_bad(look, eight_cores, monkeypatch, text):
    monkeypatch.setenv("FEATKIT_CORES", text)
    assert look("cores")["cores"].verdict == "bad"


@pytest.mark.parametrize(
    ("text", "part"),
    [("64", "wait for each other"), ("1", "so many of 8"), ("all", "no number"), ("32,2", "wait")],
)
def test_a_thread_variable_that_does_not_fit_is_a_warning(
    look, eight_cores, monkeypatch, text, part
):
    monkeypatch.setenv("OMP_NUM_THREADS", text)
    found = look("threads")["OMP_NUM_THREADS"]
    assert found.verdict == "warn"
    assert part in found.value
    assert "OMP_NUM_THREADS=8" in found.remedy


def test_threads_of_libraries_are_counted(look, eight_cores, monkeypatch):
    import torch

    monkeypatch.setattr(torch, "get_num_threads", lambda: 12)
    found = look("threads")["threads"]
    assert found.value.startswith("torch 12, ")
    assert found.verdict == "warn"


def test_torch_counts_its_threads(look):
    import torch

    assert f"torch {torch.get_num_threads()}" in look("threads")["threads"].value


@pytest.mark.parametrize(
    ("free", "limit", "left", "verdict"),
    [
        (100 * GIB, None, None, "good"),
        (2 * GIB, None, None, "warn"),
        (GIB // 2, None, None, "bad"),
        (100 * GIB, 8 * GIB, 6 * GIB, "good"),
        (100 * GIB, 8 * GIB, GIB // 2, "bad"),
        (100 * GIB, 500 * GIB, 0, "good"),  # a limit above the machine is none
    ],
)
def test_memory_is_what_machine_and_container_leave(look, monkeypatch, free, limit, left, verdict):
    monkeypatch.setattr(memory_module, "_machine", lambda: (128 * GIB, free))
    monkeypatch.setattr(memory_module, "memory_limit", lambda: limit)
    monkeypatch.setattr(memory_module, "memory_left", lambda: left)
    found = look("memory")["memory"]
    assert found.verdict == verdict
    assert ("the container has 8.0 GiB" in found.value) == (limit == 8 * GIB)
    assert bool(found.remedy) == (verdict != "good")


def test_the_machines_memory_is_what_its_pages_are():
    total, free = memory_module._machine()
    pages = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    assert total == pytest.approx(pages, rel=0.01)
    assert 0 < free < total


def test_few_open_files_are_a_warning(look, monkeypatch):
    limits = {resource.RLIMIT_NOFILE: (256, 65536), resource.RLIMIT_AS: (-1, -1)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    found = look("memory")["open files"]
    assert (found.verdict, found.remedy) == ("warn", "Run `ulimit -n 4096` before")


def test_a_low_hard_limit_is_not_answered_with_ulimit(look, monkeypatch):
    limits = {resource.RLIMIT_NOFILE: (256, 512), resource.RLIMIT_AS: (-1, -1)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    found = look("memory")["open files"]
    assert (found.verdict, "ulimit -n " in found.remedy) == ("warn", False)
    assert "hard limit" in found.remedy


@pytest.mark.parametrize("limit", ["abc", "0", ""])
def test_a_limit_that_is_no_number_is_named_wherever_cores_matter(look, monkeypatch, limit):
    monkeypatch.setenv("FEATKIT_CORES", limit)
    for check in ("cores", "devices"):
        found = look(check)[check]
        assert (found.verdict, "FEATKIT_CORES" in found.remedy) == ("bad", True)
        assert "no number of cores" in found.value


def test_the_cpu_multiplies_rightly_and_names_its_instructions(look):
    found = look("devices")
    assert found["cpu"].verdict == "good"
    assert "core" in found["cpu"].value
    bf16 = found["bf16 on cpu"]
    flags = set(Path("/proc/cpuinfo").read_text().split())
    own = bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
    assert bf16.value.startswith("the device's own (" if own else "emulated (")
    assert bf16.verdict == ("good" if own else "warn")


def test_bf16_without_instructions_is_a_warning(look, monkeypatch):
    monkeypatch.setattr("featkit.doctor._devices._flags", lambda: {"avx2"})
    found = look("devices")["bf16 on cpu"]
    assert found.verdict == "warn"
    assert found.value.startswith("emulated (only ")
    assert "--precision auto" in found.remedy


def test_a_device_that_calculates_wrongly_is_bad(look, monkeypatch):
    import torch

    right = torch.Tensor.__matmul__
    monkeypatch.setattr(
        torch.Tensor, "__matmul__", lambda a, b: right(a, b) + (a.dtype != torch.float64) * 9000
    )
    found = look("devices")
    assert found["cpu"].verdict == found["bf16 on cpu"].verdict == "bad"
    assert "calculates wrongly" in found["cpu"].value


def test_a_device_that_fails_is_bad(look, monkeypatch):
    import torch

    def fail(*_):
        raise RuntimeError("no kernel image is available for execution on the device")

    monkeypatch.setattr(torch.Tensor, "__matmul__", fail)
    found = look("devices")
    assert "no kernel image is available" in found["cpu"].value
    assert (found["cpu"].verdict, found["bf16 on cpu"].verdict) == ("bad", "warn")


def test_a_gpu_that_torch_cannot_use_is_bad_or_a_warning(look, monkeypatch):
    import warnings

    import torch

    def unavailable():
        warnings.warn("CUDA initialization: The NVIDIA driver is too old (found 470)", stacklevel=2)
        return False

    monkeypatch.setattr("shutil.which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(torch.cuda, "is_available", unavailable)
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    found = look("devices")["cuda"]
    assert (found.verdict, "driver is too old" in found.value) == ("bad", True)
    monkeypatch.setattr(torch.version, "cuda", None)
    monkeypatch.setattr(torch.version, "hip", None)
    assert look("devices")["cuda"].verdict == "warn"


@pytest.fixture
def gpu(monkeypatch):
    """A drawn GPU; its memory, its instructions and its arithmetic can be set."""
    import torch

    from featkit.doctor import _devices

    state = SimpleNamespace(free=60 * GIB, bf16=True, error=0.0, memory=None)

    def memory(_):
        if state.memory:
            raise RuntimeError(state.memory)
        return state.free, 80 * GIB

    facts = SimpleNamespace(name="NVIDIA X", major=8, minor=0)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: facts)
    monkeypatch.setattr(torch.cuda, "mem_get_info", memory)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: state.bf16)
    monkeypatch.setattr(_devices, "_error", lambda *_: state.error)
    monkeypatch.setattr(_devices, "_seconds", lambda _, kind: 1 + (kind == torch.float32))
    return state


def test_a_gpu_is_tried_and_its_memory_told(look, gpu):
    found = look("devices")
    assert found["cuda:0"].verdict == "good"
    assert "compute capability 8.0, 60.0 of 80.0 GiB free" in found["cuda:0"].value
    assert found["bf16 on cuda:0"].value.startswith("the device's own (compute capability 8.0)")
    assert "1/2.0 of fp32's time" in found["bf16 on cuda:0"].value


def test_a_gpu_that_others_fill_or_that_emulates_is_a_warning(look, gpu):
    gpu.free, gpu.bf16 = GIB, False
    found = look("devices")
    assert (found["cuda:0"].verdict, "nvidia-smi" in found["cuda:0"].remedy) == ("warn", True)
    assert found["bf16 on cuda:0"].value.startswith("emulated")


def test_a_gpu_that_is_lost_or_wrong_is_bad(look, gpu):
    gpu.error = 0.5
    found = look("devices")
    assert "calculates wrongly" in found["cuda:0"].value
    assert "bf16 on cuda:0" not in found
    gpu.memory = "CUDA error: device is busy"
    assert look("devices")["cuda:0"].value == "NVIDIA X: RuntimeError: CUDA error: device is busy"
