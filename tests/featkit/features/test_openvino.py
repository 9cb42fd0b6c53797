import subprocess
import sys

import numpy as np
import pytest
import torch

from featkit.backbones import load_backbone
from featkit.errors import StoreError
from featkit.features._openvino import Graph, has_openvino

pytestmark = pytest.mark.skipif(not has_openvino(), reason="needs the extra openvino")


@pytest.mark.parametrize("spec", ["featkit:tiny", "timm:test_vit", "torchvision:squeezenet1_1"])
def test_gives_the_features_of_a_fresh_forward_pass(spec):
    backbone = load_backbone(spec, random_weights=spec != "featkit:tiny")
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (11, *backbone.preprocessing.crop, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = backbone.features(torch.from_numpy(pixels).permute(0, 3, 1, 2)).numpy()
    network = Graph(backbone).ready("fp32")
    scale = np.abs(expected).max()
    for rows in (slice(0, 11), slice(0, 1), slice(3, 8)):
        found, seconds = network(torch.from_numpy(pixels[rows]))()
        np.testing.assert_allclose(found / scale, expected[rows] / scale, atol=1e-5)
        assert found.dtype == np.float32
        assert seconds > 0


def test_batches_under_way_together_do_not_mix():
    backbone = load_backbone("featkit:tiny")
    rng = np.random.default_rng(0)
    shape = (6, 9, *backbone.preprocessing.crop, 3)
    batches = torch.from_numpy(rng.integers(0, 256, shape, dtype=np.uint8))
    network = Graph(backbone).ready("fp32")
    alone = [network(batch)()[0] for batch in batches]
    begun = [network(batch) for batch in batches]
    for wait, expected in zip(reversed(begun), reversed(alone), strict=True):
        np.testing.assert_array_equal(wait()[0], expected)


def test_work_that_was_begun_with_it_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(StoreError, match="begun with OpenVINO"):
        Graph(load_backbone("featkit:tiny"))


def test_nobody_is_told_of_its_use():
    """OpenVINO's converter reports to a server when it is imported; not from here."""
    program = """
import socket, sys
def refuse(*arguments, **options):
    raise AssertionError("a connection was tried")
socket.socket.connect = socket.create_connection = refuse
from featkit.backbones import load_backbone
from featkit.features._openvino import Graph
Graph(load_backbone("featkit:tiny"))
print(sys.modules["openvino_telemetry"])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["None"]


def test_a_precision_that_the_cpu_lacks_is_not_taken_for_another(monkeypatch):
    """OpenVINO would compute in another one, and the file would tell of the one asked for."""
    import openvino

    class Plain(openvino.Core):
        def compile_model(self, model, device, options):
            return super().compile_model(
                model, device, {**options, "INFERENCE_PRECISION_HINT": "f32"}
            )

    monkeypatch.setattr(openvino, "Core", Plain)
    graph = Graph(load_backbone("featkit:tiny"))
    graph.ready("fp32")
    with pytest.raises(StoreError, match="CPU does not compute in bf16"):
        graph.ready("bf16")
