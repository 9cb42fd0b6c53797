"""Train the bundled backbone `featkit:tiny` on drawn lesions, without any class label.

The network sees lesions whose every trait is spread over its whole range (no class, and other
seeds than any sample's) and learns to tell the traits: size, border, pigments, network, vessels,
skin, ... It never sees the sample's classes, so on the sample it is an honest frozen extractor.
Training computes in bf16: another run gives weights as good, not the same bits.

    python scripts/train_tiny.py
    python scripts/train_tiny.py --photographs 2000 --epochs 2 --out tiny.safetensors
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from featkit.backbones._bundled import SIDE, TinyNetwork, tiny_preprocessing
from featkit.data._drawing import draw_photograph
from featkit.data._lesion import TRAITS, unspecific_lesion

_HELD_OUT = 1500


def main() -> None:
    """Draw, train, store and evaluate."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photographs", type=int, default=14_000, help="drawn for training")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rate", type=float, default=4e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).parents[1] / "featkit" / "backbones" / "tiny.safetensors",
    )
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(options.threads)
    began = time.monotonic()
    pixels, traits = draw(options.photographs + _HELD_OUT, options.seed, options.threads)
    print(f"drew {len(pixels):,} photographs in {time.monotonic() - began:.0f} s")
    network = train(pixels[_HELD_OUT:], traits[_HELD_OUT:], options)
    store(network.backbone, options)
    stored = {name: tensor.float() for name, tensor in load_file(options.out).items()}
    network.backbone.load_state_dict(stored)
    report(network, pixels[:_HELD_OUT], traits[:_HELD_OUT])
    print(f"{options.out}: {options.out.stat().st_size:,} bytes, {time.monotonic() - began:.0f} s")


def draw(count: int, seed: int, processes: int) -> tuple[Tensor, Tensor]:
    """Return photographs (count, 3, SIDE, SIDE) uint8 and their lesions' traits (count, T)."""
    with ProcessPoolExecutor(processes) as pool:
        drawn = list(pool.map(_draw_one, range(count), repeat(seed), chunksize=100))
    pixels = np.stack([image for image, _ in drawn]).transpose(0, 3, 1, 2)
    traits = np.stack([trait for _, trait in drawn])
    return torch.from_numpy(np.ascontiguousarray(pixels)), torch.from_numpy(traits)


def _draw_one(number: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    lesion = unspecific_lesion("pretext", seed, number)
    image = draw_photograph(lesion, SIDE, "pretext", seed, number)
    return np.asarray(image), lesion.traits.astype(np.float32)


class Pretext(nn.Module):
    """The backbone with a linear layer that tells the traits."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = TinyNetwork()
        self.head = nn.Linear(TinyNetwork.dimension, len(TRAITS))

    def forward(self, pixels: Tensor) -> Tensor:
        """Return the traits (B, T) told from uint8 pixels (B, 3, H, W)."""
        rule = tiny_preprocessing()
        mean, std = (torch.tensor(part).view(1, 3, 1, 1) for part in (rule.mean, rule.std))
        told: Tensor = self.head(self.backbone((pixels.float() / 255 - mean) / std))
        return told


def train(pixels: Tensor, traits: Tensor, options: argparse.Namespace) -> Pretext:
    """Return the network after one cycle of AdamW over the photographs."""
    network = Pretext().to(memory_format=torch.channels_last)
    steps = options.epochs * (len(pixels) // options.batch)
    optimiser = torch.optim.AdamW(network.parameters(), lr=options.rate, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, options.rate, steps, pct_start=0.15)
    for epoch in range(options.epochs):
        total, began = 0.0, time.monotonic()
        batches = torch.randperm(len(pixels)).split(options.batch)
        full = [rows for rows in batches if len(rows) == options.batch]
        for rows in full:
            with torch.autocast("cpu", torch.bfloat16):
                told = network(turned(pixels[rows]))
            loss = nn.functional.mse_loss(told.float(), traits[rows])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        seconds = time.monotonic() - began
        print(f"epoch {epoch + 1}: error {total / len(full):.3f}, {seconds:.0f} s", flush=True)
    return network.eval()


def turned(pixels: Tensor) -> Tensor:
    """Return the batch mirrored and turned by a random number of right angles."""
    turns = int(torch.randint(4, ()))
    if torch.randint(2, ()):
        pixels = pixels.flip(-1)
    return pixels.rot90(turns, (2, 3)).contiguous(memory_format=torch.channels_last)


def store(backbone: TinyNetwork, options: argparse.Namespace) -> None:
    """Write the weights in float16."""
    tensors = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous()
        for name, tensor in backbone.state_dict().items()
    }
    about = {
        "format": "pt",
        "architecture": "featkit_tiny",
        "task": "traits of drawn lesions; no class labels",
        "traits": ", ".join(TRAITS),
        "training": f"photographs={options.photographs} epochs={options.epochs} "
        f"batch={options.batch} rate={options.rate} seed={options.seed}",
        "license": "Apache-2.0",
    }
    save_file(tensors, options.out, metadata=about)


@torch.inference_mode()
def report(network: Pretext, pixels: Tensor, traits: Tensor) -> None:
    """Print how much of each trait's variance the stored network explains on unseen lesions."""
    told = torch.cat([network(part) for part in pixels.split(256)])
    explained = 1 - (told - traits).square().mean(0) / traits.var(0, correction=0)
    for name, value in zip(TRAITS, explained.tolist(), strict=True):
        print(f"  {name:<12} R² {value:.2f}")
    print(f"  {'mean':<12} R² {explained.mean():.2f}")


if __name__ == "__main__":
    main()
