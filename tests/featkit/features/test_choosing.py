import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from featkit.features import _choosing
from featkit.features._choosing import (
    Trial,
    agreement,
    as_stored,
    choose_way,
    storage_dtype,
    try_ways,
)
from featkit.features._networks import Networks, Way
from featkit.features._openvino import has_openvino

CPU = torch.device("cpu")


def chosen_way(requested, backbone, trial):
    forward, check = choose_way(requested, Networks(backbone, CPU), trial, batch_size=32)
    return forward.way, check


@pytest.fixture
def pixels():
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.integers(0, 256, (9, 16, 16, 3), dtype=np.uint8))


@pytest.fixture
def trial(pixels):
    return Trial(pixels=pixels, reference=pixels, work=100_000_000)


@pytest.fixture
def hardware(monkeypatch):
    """Let bf16 hardware and OpenVINO be there, and each way take the time and error given."""

    def set_up(*, native=True, openvino=True, speed=None, error=None):
        speed, error = speed or {}, error or {}

        class Forward:
            def __init__(self, networks, *, way, batch_size):
                self.way = way

            def __call__(self, pixels):
                features = np.ones((len(pixels), 8), np.float32)
                features[:, 0] += error.get(self.way, 0.0) * 8**0.5
                return features

        def timed(forward, pixels):
            return forward(pixels), 1.0 / speed.get(forward.way, 1.0)

        monkeypatch.setattr(_choosing, "_native_bf16", lambda _device: native)
        monkeypatch.setattr(_choosing, "has_openvino", lambda: openvino)
        monkeypatch.setattr(_choosing, "Forward", Forward)
        monkeypatch.setattr(_choosing, "_timed", timed)

    return set_up


FAST = {
    Way("bf16", "openvino"): 4.0,
    Way("fp32", "openvino"): 2.0,
    Way("bf16"): 1.5,
}


@pytest.mark.parametrize(
    ("requested", "machine", "chosen"),
    [
        ("auto", {}, Way("bf16", "openvino")),
        ("auto", {"error": {Way("bf16", "openvino"): 0.03}}, Way("fp32", "openvino")),
        ("auto", {"native": False}, Way("fp32", "openvino")),
        ("auto", {"openvino": False}, Way("bf16")),
        ("auto", {"openvino": False, "native": False}, Way("fp32")),
        ("auto", {"openvino": False, "error": {Way("bf16"): 0.03}}, Way("fp32")),
        ("auto", {"speed": {}}, Way("fp32")),
        ("auto", {"speed": {Way("bf16", "openvino"): 1.1}}, Way("fp32")),
        ("fp32", {}, Way("fp32", "openvino")),
        ("fp32", {"error": {Way("fp32", "openvino"): 0.03}}, Way("fp32")),
        ("bf16", {"error": {Way("bf16", "openvino"): 0.5}}, Way("bf16", "openvino")),
        ("bf16", {"native": False, "openvino": False}, Way("bf16")),
        ("bf16", {"native": False}, Way("bf16")),
        ("fp16", {"speed": {Way("fp16", "openvino"): 9.0}}, Way("fp16")),
        ("fp16", {}, Way("fp16")),
    ],
)
def test_the_fastest_way_that_leaves_the_features_as_they_are(
    hardware, fakes, trial, requested, machine, chosen
):
    hardware(**{"speed": FAST, **machine})
    way, check = chosen_way(requested, fakes.backbone(), trial)
    assert way == chosen
    assert (check.precision, check.runtime) == (way.precision, way.runtime)
    assert check.images == 9


def test_all_ways_can_be_tried_and_the_first_better_one_is_chosen(hardware, fakes, trial):
    hardware(speed=FAST, error={Way("bf16", "openvino"): 0.03})
    networks = Networks(fakes.backbone(), CPU)
    tried = list(try_ways("auto", networks, trial, batch_size=9))
    assert [(each.forward.way, each.better) for each in tried] == [
        (Way("fp32"), False),
        (Way("bf16", "openvino"), False),
        (Way("fp32", "openvino"), True),
    ]
    assert choose_way("auto", networks, trial, batch_size=9)[0].way == Way("fp32", "openvino")


def test_a_small_job_is_not_worth_a_search(hardware, fakes, pixels):
    hardware(speed=FAST)
    trial = Trial(pixels=pixels, reference=pixels, work=10)
    assert chosen_way("auto", fakes.backbone(), trial)[0] == Way("fp32")
    assert chosen_way("bf16", fakes.backbone(), trial)[0] == Way("bf16")


@pytest.mark.parametrize(("requested", "chosen"), [("auto", "fp32"), ("bf16", "bf16")])
def test_without_images_there_is_nothing_to_try(fakes, pixels, requested, chosen):
    trial = Trial(pixels=pixels[:0], reference=pixels[:0], work=3)
    assert chosen_way(requested, fakes.backbone(), trial) == (Way(chosen), None)


def test_the_check_is_that_of_the_stored_features(fakes, pixels):
    backbone = fakes.backbone()
    _, check = chosen_way("bf16", backbone, Trial(pixels, pixels, work=9))
    tensor = pixels.permute(0, 3, 1, 2)
    with torch.no_grad():
        exact = backbone.features(tensor).double()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            reduced = backbone.features(tensor).half().double()
    cosine = torch.nn.functional.cosine_similarity(exact, reduced).min()
    error = ((reduced - exact).norm(dim=1) / exact.norm(dim=1)).max()
    assert check.cosine_min == pytest.approx(float(cosine), abs=1e-6)
    assert check.error_max == pytest.approx(float(error), rel=1e-4)
    assert check.cosine_min < 1
    assert check.speedup > 0


def test_resizing_is_checked_too(fakes, pixels):
    """Pixels that are not the reference's count, also where the network is the same."""
    backbone = fakes.backbone()
    _, check = chosen_way("fp32", backbone, Trial(255 - pixels, pixels, work=9))
    assert not check.is_given
    _, check = chosen_way("fp32", backbone, Trial(pixels, pixels, work=9))
    assert check.is_given
    assert check.error_max == 0


def test_an_overflow_does_not_pass_for_agreement(fakes, pixels):
    backbone = fakes.backbone(fakes.network(scale=1000.0))
    _, check = chosen_way("bf16", backbone, Trial(pixels, pixels, work=9))
    assert check.cosine_min == 0
    assert check.error_max > 1
    assert not check.is_given


@pytest.mark.skipif(not has_openvino(), reason="needs the extra openvino")
def test_a_large_job_takes_openvino_on_a_cpu(fakes, trial, monkeypatch):
    monkeypatch.setattr(_choosing, "_SPEEDUP", 0.0)  # a network of a few weights gains nothing
    way, check = chosen_way("fp32", fakes.backbone(), trial)
    assert way == Way("fp32", "openvino")
    assert check.error_max < 1e-4


finite = st.floats(-1e3, 1e3, width=32)


@given(arrays(np.float32, (3, 5), elements=finite), arrays(np.float32, (3, 5), elements=finite))
def test_agreement_is_bounded_and_exact_for_equal_features(exact, found):
    cosine, error = agreement(exact, found)
    assert ((cosine >= -1 - 1e-9) & (cosine <= 1 + 1e-9)).all()
    assert (error >= 0).all()
    exact[:, 0] = 7
    cosine, error = agreement(exact, exact)
    np.testing.assert_allclose(cosine, 1)
    np.testing.assert_array_equal(error, 0)


def test_storage():
    assert storage_dtype("fp32") == np.float32
    assert as_stored(np.array([[1e9]], np.float32), "bf16") == np.inf
    assert storage_dtype("fp16") == np.float16
