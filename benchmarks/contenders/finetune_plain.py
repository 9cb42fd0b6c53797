"""Fine-tuning as people write it: PIL, torchvision's augmentation, a DataLoader, AdamW, fp32.

Arguments: `train` and `validation` (lists of [path, class]), `classes` (their number), `weights`
(folder in timm's layout), `size` (px), `epochs`, `device`.
"""

from __future__ import annotations

from collections.abc import Callable

import timm
import torch
from PIL import Image
from timm.data import resolve_model_data_config  # type: ignore[attr-defined]
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from benchmarks.contenders.stopwatch import Stopwatch, arguments, cores


class Images(Dataset[tuple[Tensor, int]]):
    """Image files and their classes."""

    def __init__(
        self, samples: list[tuple[str, int]], transform: Callable[[Image.Image], Tensor]
    ) -> None:
        self.samples = samples
        self.transform = transform

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        path, label = self.samples[index]
        return self.transform(Image.open(path).convert("RGB")), label


def main() -> None:
    """Train for some epochs, with a pass over the validation images after each."""
    wanted = arguments()
    device, size = torch.device(wanted["device"]), wanted["size"]
    model = timm.create_model(
        f"local-dir:{wanted['weights']}", pretrained=True, num_classes=wanted["classes"]
    ).to(device)
    config = resolve_model_data_config(model)
    last = [transforms.ToTensor(), transforms.Normalize(config["mean"], config["std"])]
    augment = transforms.Compose(
        [
            transforms.RandomResizedCrop(size, scale=(0.7, 1.0)),
            transforms.RandomHorizontalFlip(),
            transforms.RandomVerticalFlip(),
            transforms.RandomRotation(180),
            transforms.ColorJitter(0.2, 0.2, 0.2),
            *last,
        ]
    )
    plain = transforms.Compose(
        [transforms.Resize(size * 8 // 7), transforms.CenterCrop(size), *last]
    )

    watch = Stopwatch()
    pin = device.type == "cuda"
    train, validation = (
        DataLoader(
            Images(wanted[part], transform),
            batch_size=32,
            shuffle=part == "train",
            num_workers=cores(),
            pin_memory=pin,
        )
        for part, transform in (("train", augment), ("validation", plain))
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, weight_decay=0.05)
    loss = nn.CrossEntropyLoss()
    for _ in range(wanted["epochs"]):
        model.train()
        for images, labels in train:
            optimizer.zero_grad()
            loss(model(images.to(device)), labels.to(device)).backward()
            optimizer.step()
        model.eval()
        right = 0
        with torch.no_grad():
            for images, labels in validation:
                predicted = model(images.to(device)).argmax(dim=1)
                right += int((predicted == labels.to(device)).sum())
    watch.stop(wanted["epochs"], trained=len(wanted["train"]), right=right)


if __name__ == "__main__":
    main()
