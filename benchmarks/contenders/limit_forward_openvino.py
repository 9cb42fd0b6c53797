"""Forward passes alone by OpenVINO, on synthetic images: a CPU's cores with a few images each.

Arguments: `weights` (folder in timm's layout), `precision` (`fp32` or `bf16`), `seconds`.
"""

from __future__ import annotations

import sys
import time

import timm
import torch
from timm.data import resolve_model_data_config  # type: ignore[attr-defined]

from benchmarks.contenders.stopwatch import Stopwatch, arguments, cores

# Its converter would report its use to a server.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino  # noqa: E402

_AT_ONCE = 4
_WARM_UP = 3


def main() -> None:
    """Send the same images through the network until the time is over."""
    wanted = arguments()
    network = timm.create_model(f"local-dir:{wanted['weights']}", pretrained=True, num_classes=0)
    images = torch.randn(_AT_ONCE, *resolve_model_data_config(network)["input_size"])
    model = openvino.convert_model(network.eval(), example_input=images)
    model.reshape(list(images.shape))
    options = {
        "INFERENCE_PRECISION_HINT": {"fp32": "f32", "bf16": "bf16"}[wanted["precision"]],
        "INFERENCE_NUM_THREADS": cores(),
        "NUM_STREAMS": cores(),
    }
    queue = openvino.AsyncInferQueue(openvino.Core().compile_model(model, "CPU", options), cores())
    pixels = images.numpy()

    def run() -> None:
        queue.start_async([pixels], share_inputs=True)

    for _ in range(_WARM_UP * cores()):
        run()
    queue.wait_all()

    watch = Stopwatch()
    passes = 0
    end = time.perf_counter() + wanted["seconds"]
    while time.perf_counter() < end:
        run()
        passes += 1
    queue.wait_all()
    watch.stop(passes * len(images))


if __name__ == "__main__":
    main()
