"""A station: the devices of one process, made ready to compute features in some way."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from featkit.backbones.backbone import Backbone
from featkit.features._choosing import Faithfulness, choose_way
from featkit.features._crew import Crew
from featkit.features._forward import Forward
from featkit.features._networks import Networks, Way
from featkit.features._trial import Sample, trial_of

__all__ = ["Station"]


class Station:
    """The devices of one process.

    Args:
        backbone: Its network must be on the first device.
        devices: Of one kind.
    """

    def __init__(self, backbone: Backbone, devices: Sequence[torch.device]) -> None:
        self._networks = Networks(backbone, devices[0])
        self._others = tuple(devices[1:])
        self._chosen: Forward | None = None

    def choose(
        self, precision: str, sample: Sample, batch_size: int
    ) -> tuple[Way, Faithfulness | None]:
        """Choose how to compute on these devices (see `choose_way`)."""
        preprocessing, device = self._networks.backbone.preprocessing, self._networks.device
        trial = trial_of(sample, preprocessing, device)
        self._chosen, check = choose_way(precision, self._networks, trial, batch_size=batch_size)
        return self._chosen.way, check

    def crew(self, way: Way, batch_size: int) -> Crew:
        """Return what computes batches, with the network that was made ready for choosing."""
        forward = self._chosen
        if forward is None or (forward.way, forward.batch_size) != (way, batch_size):
            forward = Forward(self._networks, way=way, batch_size=batch_size)
        return Crew(forward, self._others)
