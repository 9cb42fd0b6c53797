import numpy as np
import pytest
import torch

from featkit.features import _precision
from featkit.features._precision import PrecisionCheck, check_precision, choose_precision

CPU = torch.device("cpu")


@pytest.fixture
def pixels():
    return np.random.default_rng(0).integers(0, 256, (9, 16, 16, 3), dtype=np.uint8)


@pytest.fixture
def hardware(monkeypatch):
    """Let bf16 hardware be there, with a measurement of one's choice."""

    def set_up(*, native=True, speedup=2.0, cosine=0.9999):
        monkeypatch.setattr(_precision, "_native_bf16", lambda _device: native)
        check = PrecisionCheck("bf16", 9, cosine, speedup)
        monkeypatch.setattr(_precision, "check_precision", lambda *_args: check)

    return set_up


@pytest.mark.parametrize(
    ("measured", "chosen"),
    [
        ({}, "bf16"),
        ({"speedup": 1.1}, "fp32"),
        ({"cosine": 0.99}, "fp32"),
        ({"native": False}, "fp32"),
    ],
)
def test_auto_takes_bf16_where_it_pays(hardware, fakes, pixels, measured, chosen):
    hardware(**measured)
    precision, check = choose_precision("auto", fakes.backbone(), CPU, pixels)
    assert precision == chosen
    assert (check is not None) == (chosen == "bf16")


def test_auto_without_images_is_fp32(hardware, fakes, pixels):
    hardware()
    assert choose_precision("auto", fakes.backbone(), CPU, pixels[:0]) == ("fp32", None)


def test_what_was_asked_for_is_taken_and_measured(hardware, fakes, pixels):
    hardware(speedup=0.5, cosine=0.5)
    precision, check = choose_precision("bf16", fakes.backbone(), CPU, pixels)
    assert precision == "bf16"
    assert check.cosine_min == 0.5
    assert choose_precision("fp32", fakes.backbone(), CPU, pixels) == ("fp32", None)


def test_the_cosine_is_that_of_the_stored_features(fakes, pixels):
    backbone = fakes.backbone()
    check = check_precision("bf16", backbone, CPU, pixels)
    tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2)
    with torch.no_grad():
        exact = backbone.features(tensor).double()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            reduced = backbone.features(tensor).half().double()
    expected = torch.nn.functional.cosine_similarity(exact, reduced).min()
    assert check.cosine_min == pytest.approx(float(expected), abs=1e-6)
    assert check.cosine_min < 1
    assert check.images == 9
    assert check.speedup > 0


def test_an_overflow_does_not_pass_for_agreement(fakes, pixels):
    backbone = fakes.backbone(fakes.network(scale=1000.0))
    check = check_precision("bf16", backbone, CPU, pixels)
    assert check.cosine_min == 0
    assert not check.pays
