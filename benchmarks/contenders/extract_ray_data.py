"""Feature extraction by Ray Data, as its guide shows: tasks decode, an actor holds the network.

Decoder and network are featkit's own, in fp32, so that nothing but the pipeline differs.

Arguments: `images` (folder), `weights` (folder in timm's layout), `out` (.npy), `device`.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch

import featkit
from benchmarks.contenders.stopwatch import Stopwatch, arguments, cores
from featkit.data.decoding import decode_pixels
from featkit.features._networks import Networks, Way
from featkit.features._openvino import has_openvino

_BATCH = 32


class Network:
    """The network of an actor, with as many threads as there are cores."""

    def __init__(self, weights: str, device: str, runtime: str) -> None:
        torch.set_num_threads(cores())
        backbone = featkit.load_backbone(f"local-dir:{weights}")
        backbone.network.to(device).to(memory_format=torch.channels_last)
        networks = Networks(backbone, torch.device(device))
        self.network = networks.ready(Way("fp32", runtime), _BATCH)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the features of a batch, and its paths."""
        features, _ = self.network(torch.tensor(batch["pixels"]))()
        return {"path": batch["path"], "features": features}


def main() -> None:
    """Extract the features of all images, in the order of their paths."""
    wanted = arguments()
    preprocessing = featkit.load_backbone(f"local-dir:{wanted['weights']}").preprocessing
    gpu = 1 if wanted["device"] == "cuda" else 0
    runtime = "openvino" if has_openvino() and not gpu else "torch"

    def decode(row: dict[str, Any]) -> dict[str, Any]:
        pixels = preprocessing(decode_pixels(Path(row["path"]).read_bytes()))
        return {"path": row["path"], "pixels": np.ascontiguousarray(pixels)}

    watch = Stopwatch()
    ray.init(
        "local",
        num_cpus=cores(),
        include_dashboard=False,
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    paths = sorted(map(str, Path(wanted["images"]).rglob("*.jpg")))
    rows = (
        ray.data.from_items([{"path": path} for path in paths])
        .map(decode, num_cpus=0.5)
        .map_batches(
            Network,
            fn_constructor_args=(wanted["weights"], wanted["device"], runtime),
            batch_size=_BATCH,
            compute=ray.data.ActorPoolStrategy(size=1),
            num_cpus=0.5,
            num_gpus=gpu,
        )
        .take_all()
    )
    rows.sort(key=lambda row: str(row["path"]))
    np.save(wanted["out"], np.stack([row["features"] for row in rows]))
    watch.stop(len(rows), ray=ray.__version__, runtime=runtime)


if __name__ == "__main__":
    main()
