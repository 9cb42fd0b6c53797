"""The small CNN of 28 × 28 pixel studies: an architecture without weights, to train from scratch.

Source: the Keras model for Kaggle's "Skin Cancer MNIST" by Charan H U (2021): five convolutions
and four dense layers, batch normalisation after the activations.
"""

from __future__ import annotations

from torch import nn

from featkit.backbones.preprocessing import Preprocessing

__all__ = ["SMALL_SIDE", "SmallNetwork", "small_preprocessing"]

SMALL_SIDE = 28
"""Side of the square input in pixels: here the last feature map is a single position."""

_DROPOUT = 0.2


class SmallNetwork(nn.Sequential):
    """Convolutions of 16 to 256 channels, dense layers of 256 to 32: (B, 3, 28, 28) to (B, 32)."""

    dimension = 32

    def __init__(self) -> None:
        super().__init__(
            *_convolution(3, 16, padding=1),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(16),
            *_convolution(16, 32),
            *_convolution(32, 64),
            nn.MaxPool2d(2),
            nn.BatchNorm2d(64),
            *_convolution(64, 128),
            *_convolution(128, 256),
            nn.AdaptiveAvgPool2d(1),  # nothing at 28 pixels; takes larger images
            nn.Flatten(),
            nn.Dropout(_DROPOUT),
            *_dense(256, 256),
            nn.Dropout(_DROPOUT),
            *_dense(256, 128),
            *_dense(128, 64),
            nn.Dropout(_DROPOUT),
            *_dense(64, self.dimension),
        )


def small_preprocessing(side: int = SMALL_SIDE) -> Preprocessing:
    """Return how images become the small network's input, side × side pixels."""
    return Preprocessing(
        resize=side,
        crop=(side, side),
        interpolation="bicubic",
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
    )


def _convolution(inputs: int, outputs: int, *, padding: int = 0) -> tuple[nn.Module, nn.Module]:
    return nn.Conv2d(inputs, outputs, 3, padding=padding), nn.ReLU(inplace=True)


def _dense(inputs: int, outputs: int) -> tuple[nn.Module, nn.Module, nn.Module]:
    return nn.Linear(inputs, outputs), nn.ReLU(inplace=True), nn.BatchNorm1d(outputs)
