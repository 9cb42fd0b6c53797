import pytest

from benchmarks.extraction.limits import allowed_rate
from benchmarks.harness import Measurement


def test_on_a_cpu_times_add_up_and_on_a_gpu_the_slower_decides():
    decode, forward = Measurement(300, 1), Measurement(600, 1)
    # 1/300 s and 1/600 s of all cores for an image.
    assert allowed_rate(decode, forward, "cpu") == pytest.approx(200)
    assert allowed_rate(decode, forward, "cuda") == 300
