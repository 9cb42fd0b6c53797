"""Feature extraction by Ray Data, as its guide shows: tasks decode, an actor holds the network.

Arguments: `images` (folder), `weights` (folder in timm's layout), `out` (.npy), `device`.
"""

from __future__ import annotations

import logging
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import ray
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_model_data_config  # type: ignore[attr-defined]

from benchmarks.contenders.stopwatch import Stopwatch, arguments, cores


class Network:
    """The network of an actor, with as many threads as there are cores."""

    def __init__(self, weights: str, device: str) -> None:
        torch.set_num_threads(cores())
        model = timm.create_model(f"local-dir:{weights}", pretrained=True, num_classes=0)
        self.device, self.model = device, model.eval().to(device)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Return the features of a batch, and its paths."""
        with torch.no_grad():
            features = self.model(torch.from_numpy(batch["pixels"]).to(self.device))
        return {"path": batch["path"], "features": features.cpu().numpy()}


def main() -> None:
    """Extract the features of all images, in the order of their paths."""
    wanted = arguments()
    model = timm.create_model(f"local-dir:{wanted['weights']}", pretrained=False, num_classes=0)
    transform = create_transform(**resolve_model_data_config(model), is_training=False)
    gpu = 1 if wanted["device"] == "cuda" else 0

    def decode(row: dict[str, Any]) -> dict[str, Any]:
        image = Image.open(BytesIO(Path(row["path"]).read_bytes())).convert("RGB")
        return {"path": row["path"], "pixels": transform(image).numpy()}

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
            fn_constructor_args=(wanted["weights"], wanted["device"]),
            batch_size=32,
            compute=ray.data.ActorPoolStrategy(size=1),
            num_cpus=0.5,
            num_gpus=gpu,
        )
        .take_all()
    )
    rows.sort(key=lambda row: str(row["path"]))
    np.save(wanted["out"], np.stack([row["features"] for row in rows]))
    watch.stop(len(rows), ray=ray.__version__)


if __name__ == "__main__":
    main()
