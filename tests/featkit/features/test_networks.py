import shutil

import numpy as np
import pytest
import torch

from featkit.features._networks import RUNTIMES, Networks, Way
from featkit.features._openvino import has_openvino

CPU = torch.device("cpu")


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_every_runtime_gives_the_same_features(fakes, runtime):
    if runtime == "openvino" and not has_openvino():
        pytest.skip("needs the extra openvino")
    if runtime == "compiled" and shutil.which("g++") is None:
        pytest.skip("PyTorch's compiler needs a C++ compiler")
    pixels = np.random.default_rng(0).integers(0, 256, (7, 16, 16, 3), dtype=np.uint8)
    backbone = fakes.backbone()
    with torch.inference_mode():
        expected = backbone.features(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    network = Networks(backbone, CPU).ready(Way("fp32", runtime), 4)
    for rows in (slice(0, 4), slice(4, 7), slice(2, 3)):
        found, seconds = network(torch.from_numpy(pixels[rows]))()
        np.testing.assert_allclose(found, expected[rows], rtol=1e-4, atol=1e-5)
        assert seconds > 0
