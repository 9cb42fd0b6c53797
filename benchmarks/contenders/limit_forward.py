"""Forward passes alone, on synthetic images: how fast the device runs a network at all.

Arguments: `weights` (folder in timm's layout), `precision`, `batch`, `seconds`, `device`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import timm
import torch
from timm.data import resolve_model_data_config  # type: ignore[attr-defined]
from torch import Tensor, nn

from benchmarks.contenders.stopwatch import Stopwatch, arguments

_WARM_UP = 3


def main() -> None:
    """Send the same batch through the network until the time is over."""
    wanted = arguments()
    device = torch.device(wanted["device"])
    torch.backends.cudnn.allow_tf32 = False  # fp32 means fp32, as in featkit
    network = timm.create_model(f"local-dir:{wanted['weights']}", pretrained=True, num_classes=0)
    size = resolve_model_data_config(network)["input_size"]
    images = torch.randn(wanted["batch"], *size).to(device)
    run, autocast = prepared(network.eval().to(device), wanted["precision"], device)
    with torch.no_grad(), autocast:
        if wanted["precision"] != "fp32":
            images = images.contiguous(memory_format=torch.channels_last)
        for _ in range(_WARM_UP):
            run(images)
        _wait(device)

        watch = Stopwatch()
        batches = 0
        end = time.perf_counter() + wanted["seconds"]
        while time.perf_counter() < end:
            run(images)
            _wait(device)
            batches += 1
    watch.stop(batches * len(images))


def prepared(
    network: nn.Module, precision: str, device: torch.device
) -> tuple[Callable[[Tensor], Tensor], AbstractContextManager[object]]:
    """Return the network as it is run in a precision, and the context it runs in.

    Args:
        network: In evaluation mode, on the device.
        precision: `fp32`: as timm makes it; `bf16`: autocast, channels last; `bf16-compiled`:
            the same, compiled, on a CPU with frozen weights.
        device: Where it runs.
    """
    if precision == "fp32":
        return network, nullcontext()
    network = network.to(memory_format=torch.channels_last)
    autocast = torch.autocast(device.type, torch.bfloat16)
    if precision == "bf16":
        return network, autocast
    if device.type == "cpu":
        from torch._inductor import config

        config.freezing = True
        return torch.compile(network), autocast
    return torch.compile(network, mode="reduce-overhead"), autocast


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


if __name__ == "__main__":
    main()
