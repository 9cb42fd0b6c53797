"""Devices: whether each one calculates rightly, and whether bf16 is its own or emulated."""

from __future__ import annotations

import platform
import shutil
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from featkit.doctor.finding import Finding, said

if TYPE_CHECKING:
    import torch

__all__ = ["devices"]

_SIZE = 512

_GIB = 1 << 30

_LITTLE = 2 * _GIB

_FLAGS = ("amx_bf16", "avx512_bf16", "arm_bf16", "bf16")
"""Instructions for bf16, as torch and the kernel call them."""


def devices(out: Path) -> Iterator[Finding]:
    """Multiply matrices on every device, in fp32 and in bf16."""
    import torch

    from featkit.hardware.devices import device_name

    cpu = torch.device("cpu")
    yield _multiplied(cpu, _bare(device_name(cpu)))
    yield _bf16_of_cpu()
    yield from _gpus()
    if torch.backends.mps.is_available():
        mps = torch.device("mps")
        yield _multiplied(mps, _bare(device_name(mps)))
        yield _bf16(mps, fast=True, basis="Metal")


def _bare(name: str) -> str:
    """Return a device's name without its kind, which stands beside it."""
    return name.partition(": ")[2]


def _gpus() -> Iterator[Finding]:
    import torch

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        usable = torch.cuda.is_available()
    if not usable:
        yield from _no_gpu([str(each.message) for each in told])
        return
    for index in range(torch.cuda.device_count()):
        gpu = torch.device("cuda", index)
        yield from _gpu(gpu)


def _no_gpu(told: list[str]) -> Iterator[Finding]:
    """Say why an NVIDIA GPU that is there cannot be used; nothing where there is none."""
    import torch

    if not (Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi")):
        return
    if torch.version.cuda is None and torch.version.hip is None:
        remedy = "Install PyTorch for CUDA: see https://pytorch.org/get-started/locally"
        yield Finding(
            "cuda", "a driver is there, but this PyTorch is for CPUs only", "warn", remedy
        )
        return
    cause = told[0].strip().splitlines()[0] if told else "PyTorch finds no usable NVIDIA GPU"
    remedy = "Check `nvidia-smi` and CUDA_VISIBLE_DEVICES; update the driver where it is too old"
    yield Finding("cuda", cause, "bad", remedy)


def _gpu(gpu: torch.device) -> Iterator[Finding]:
    import torch

    facts = torch.cuda.get_device_properties(gpu)
    try:
        free, total = torch.cuda.mem_get_info(gpu)
    except Exception as error:  # a GPU that fell off the bus, or is another's alone
        remedy = "Check `nvidia-smi`: another program may hold it, or it needs a reset"
        yield Finding(str(gpu), f"{facts.name}: {said(error)}", "bad", remedy)
        return
    name = (
        f"{facts.name}, compute capability {facts.major}.{facts.minor}, "
        f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    )
    finding = _multiplied(gpu, name)
    if finding.verdict == "good" and free < _LITTLE:
        remedy = "End other programs on it (`nvidia-smi` lists them), or use another --device"
        finding = Finding(str(gpu), name, "warn", remedy)
    yield finding
    if finding.verdict != "bad":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        yield _bf16(gpu, fast=fast, basis=f"compute capability {facts.major}.{facts.minor}")


def _multiplied(device: torch.device, name: str) -> Finding:
    """Multiply on a device and compare with the exact product."""
    import torch

    try:
        error = _error(device, torch.float32)
    except Exception as problem:  # drivers and builds fail in many ways
        remedy = "Use --device cpu, or install a PyTorch for this device"
        if device.type == "cpu":
            remedy = "Reinstall it: pip install --force-reinstall torch"
        return Finding(str(device), f"{name}: {said(problem)}", "bad", remedy)
    if error > 1e-2:  # TF32 has 10 bits
        value = f"{name}: calculates wrongly, by {error:.1%}"
        return Finding(str(device), value, "bad", "Do not use this device; check its memory")
    return Finding(str(device), name)


def _error(device: torch.device, kind: torch.dtype) -> float:
    """Return the largest error of a product of whole numbers, relative to its largest entry."""
    import torch

    numbers = torch.arange(_SIZE * _SIZE).remainder(17).reshape(_SIZE, _SIZE)
    exact = numbers.double() @ numbers.double()
    found = numbers.to(device, kind) @ numbers.to(device, kind)
    return float((found.double().cpu() - exact).abs().max() / exact.max())


def _bf16_of_cpu() -> Finding:
    import torch

    flags = _flags()
    has = [flag for flag in _FLAGS if flag in flags]
    best = torch.backends.cpu.get_cpu_capability()
    basis = f"{', '.join(has)}; torch uses {best}" if has else f"only {best}"
    return _bf16(torch.device("cpu"), fast=bool(has), basis=basis)


def _flags() -> set[str]:
    """Return what instructions the CPU says that it has."""
    import torch

    found: set[str] = set()
    if hasattr(torch.cpu, "get_capabilities"):
        found = {name for name, there in torch.cpu.get_capabilities().items() if there is True}
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return found
    kind = "Features" if platform.machine().startswith(("aarch64", "arm")) else "flags"
    for line in lines:
        if line.startswith(kind):
            return found | set(line.partition(":")[2].split())
    return found


def _bf16(device: torch.device, *, fast: bool, basis: str) -> Finding:
    """Multiply in bf16; say whether the device has instructions for it."""
    import torch

    name = f"bf16 on {device}"
    try:
        error = _error(device, torch.bfloat16)
        ratio = _seconds(device, torch.float32) / _seconds(device, torch.bfloat16)
    except Exception as problem:  # as above
        value = f"does not work ({said(problem)})"
        return Finding(name, value, "warn", "Leave --precision auto, or give fp32")
    if error > 0.05:
        value = f"wrong by {error:.0%}"
        return Finding(name, value, "bad", "Give --precision fp32")
    speed = (
        f"a product takes 1/{ratio:.1f} of fp32's time"
        if ratio >= 1
        else (f"a product takes {1 / ratio:.1f} times fp32's time")
    )
    if fast:
        return Finding(name, f"the device's own ({basis}); {speed}")
    remedy = "Leave --precision auto: it takes bf16 only where that is faster"
    return Finding(name, f"emulated ({basis}); {speed}", "warn", remedy)


def _seconds(device: torch.device, kind: torch.dtype) -> float:
    """Return the time of a product, the best of five."""
    import torch

    left = torch.ones(_SIZE, _SIZE, device=device, dtype=kind)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        float((left @ left)[0, 0])  # waits for the device
        times.append(time.perf_counter() - start)
    return max(min(times), 1e-9)
