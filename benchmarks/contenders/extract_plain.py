"""Feature extraction as people write it: timm, PIL, a DataLoader, fp32, numpy at the end.

Arguments: `images` (folder), `weights` (folder in timm's layout), `out` (.npy), `device`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_model_data_config  # type: ignore[attr-defined]
from torch.utils.data import DataLoader, Dataset

from benchmarks.contenders.stopwatch import Stopwatch, arguments, cores


class Images(Dataset[torch.Tensor]):
    """Image files, transformed for the network."""

    def __init__(self, paths: list[Path], transform: Callable[[Image.Image], torch.Tensor]) -> None:
        self.paths = paths
        self.transform = transform

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> torch.Tensor:
        return self.transform(Image.open(self.paths[index]).convert("RGB"))


def main() -> None:
    """Extract the features of all images, in the order of their paths."""
    wanted = arguments()
    device = torch.device(wanted["device"])
    model = timm.create_model(f"local-dir:{wanted['weights']}", pretrained=True, num_classes=0)
    model = model.eval().to(device)
    config = resolve_model_data_config(model)
    transform = create_transform(**config, is_training=False)

    watch = Stopwatch()
    paths = sorted(Path(wanted["images"]).rglob("*.jpg"))
    loader = DataLoader(
        Images(paths, transform),
        batch_size=32,
        num_workers=cores(),
        pin_memory=device.type == "cuda",
    )
    features = []
    with torch.no_grad():
        for batch in loader:
            features.append(model(batch.to(device)).cpu().numpy())
    np.save(wanted["out"], np.concatenate(features))
    watch.stop(len(paths), torch=torch.__version__, timm=timm.__version__)


if __name__ == "__main__":
    main()
