import numpy as np
import pytest
import torch
from torch import nn

from featkit.errors import BackboneError
from featkit.features._forward import Forward, placed
from featkit.features._networks import Networks, Way

CPU = torch.device("cpu")


class Bounded(nn.Module):
    """A network that runs out of memory above a number of images."""

    def __init__(self, inner, limit, error):
        super().__init__()
        self.inner, self.limit, self.error, self.seen = inner, limit, error, []

    def forward(self, pixels):
        self.seen.append(len(pixels))
        if len(pixels) > self.limit:
            raise self.error
        return self.inner(pixels)


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (21, 16, 16, 3), dtype=np.uint8))


def run(backbone, pixels, batch_size=16, precision="fp32"):
    forward = Forward(Networks(backbone, CPU), way=Way(precision), batch_size=batch_size)
    return forward(pixels), forward


def test_chunks_make_no_difference(fakes, pixels):
    whole, _ = run(fakes.backbone(), pixels, batch_size=100)
    chunked, forward = run(fakes.backbone(), pixels, batch_size=4)
    np.testing.assert_allclose(chunked, whole, rtol=1e-4, atol=1e-5)
    assert whole.dtype == np.float32
    assert forward.batch_size == 4
    assert forward.seconds > 0


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
    ],
)
def test_the_batch_is_halved_until_it_fits(fakes, pixels, error):
    network = Bounded(fakes.network(), 3, error)
    found, forward = run(fakes.backbone(network), pixels)
    expected, _ = run(fakes.backbone(), pixels)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    assert network.seen == [16, 8, 4, *[2] * 10, 1]
    forward(pixels[:5])
    assert network.seen[-3:] == [2, 2, 1]  # what was learnt is kept


def test_batches_may_be_under_way_together(fakes, pixels):
    forward = Forward(Networks(fakes.backbone(), CPU), way=Way("fp32"), batch_size=4)
    waits = [forward.start(pixels[row : row + 7]) for row in (0, 7, 14)]
    found = np.concatenate([wait() for wait in waits])
    expected, _ = run(fakes.backbone(), pixels)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_one_image_too_many(fakes, pixels):
    network = Bounded(fakes.network(), 0, torch.OutOfMemoryError("no"))
    with pytest.raises(BackboneError, match="fake:small does not fit into the memory of cpu"):
        run(fakes.backbone(network), pixels)


def test_other_errors_are_not_taken_for_it(fakes, pixels):
    network = Bounded(fakes.network(), 0, RuntimeError("shapes cannot be multiplied"))
    with pytest.raises(RuntimeError, match="shapes"):
        run(fakes.backbone(network), pixels)


def test_the_network_gets_channels_last_pixels_without_gradients(fakes, pixels):
    class Watching(nn.Module):
        def forward(self, pixels):
            assert pixels.is_contiguous(memory_format=torch.channels_last)
            assert torch.is_inference_mode_enabled()
            assert not torch.is_autocast_enabled("cpu")
            return pixels.mean((2, 3))

    found, _ = run(fakes.backbone(Watching()), pixels)
    expected = (pixels.numpy().mean((1, 2)) / 255 - 0.5) / 0.2
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_network_goes_back_to_where_it_was(fakes):
    backbone = fakes.backbone()
    with placed(backbone, CPU):
        weight = backbone.network[0].weight
        assert weight.is_contiguous(memory_format=torch.channels_last)
    assert backbone.network[0].weight.device == CPU


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_a_gpu_gives_the_features_of_the_cpu(fakes, pixels):
    expected, _ = run(fakes.backbone(), pixels)
    backbone, device = fakes.backbone(), torch.device("cuda:0")
    with placed(backbone, device):
        for precision, tolerance in {"fp32": 1e-4, "fp16": 1e-2, "bf16": 5e-2}.items():
            forward = Forward(Networks(backbone, device), way=Way(precision), batch_size=8)
            buffer = forward.buffer(pixels.shape)
            buffer[:] = pixels
            np.testing.assert_allclose(forward(buffer), expected, rtol=tolerance, atol=tolerance)
            np.testing.assert_array_equal(forward(buffer), forward(buffer))
            np.testing.assert_array_equal(forward(buffer.to(device)), forward(buffer))
    assert next(backbone.network.parameters()).device == CPU
