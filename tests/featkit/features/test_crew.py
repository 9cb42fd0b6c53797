import numpy as np
import pytest
import torch

from featkit.features._crew import Crew
from featkit.features._forward import Forward
from featkit.features._networks import Networks, Way

CPU = torch.device("cpu")


@pytest.fixture
def first(fakes):
    return Forward(Networks(fakes.backbone(), CPU), way=Way("fp32"), batch_size=4)


@pytest.mark.parametrize("others", [0, 1, 2])
def test_whichever_device_has_a_batch_its_features_are_the_same(first, others):
    rng = np.random.default_rng(0)
    pixels = torch.from_numpy(rng.integers(0, 256, (5, 4, 16, 16, 3), dtype=np.uint8))
    crew = Crew(first, [CPU] * others)
    waits = [crew.start(batch) for batch in pixels]
    for wait, batch in zip(waits, pixels, strict=True):
        np.testing.assert_array_equal(wait(), first(batch))
    assert len(crew) == 1 + others
    assert crew.seconds > 0


def test_devices_take_turns_and_have_networks_of_their_own(first, fakes):
    crew = Crew(first, [CPU])
    networks = [member.networks.backbone.network for member in crew._members]
    calls = []
    for number, network in enumerate(networks):
        network.register_forward_hook(lambda *_args, number=number: calls.append(number))
    pixels = torch.zeros((4, 16, 16, 3), dtype=torch.uint8)
    for _ in range(4):
        crew.start(pixels)()
    assert calls == [0, 1, 0, 1]


def test_a_crew_tells_of_all_its_devices(first):
    crew = Crew(first, [CPU])
    crew._members[1].batch_size = 2
    assert crew.batch_size == 2
    assert crew.peak_memory() >= first.peak_memory()
    assert crew.worked() == pytest.approx(2 * first.worked(), rel=0.05)
    assert crew.buffer((2, 3)).shape == (2, 3)
