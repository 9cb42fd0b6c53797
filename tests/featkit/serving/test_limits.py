import pytest

from featkit.errors import UsageError
from featkit.serving import Limits


@pytest.mark.parametrize(
    "wrong",
    [
        {"megabytes": 0},
        {"megapixels": -1},
        {"images": 0},
        {"seconds": float("inf")},
        {"seconds": float("nan")},
        {"waiting": 0},
    ],
)
def test_a_limit_that_lets_nothing_or_all_pass_is_refused(wrong):
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Limits(**wrong)


def test_a_full_request_must_fit():
    with pytest.raises(UsageError, match="a request may hold 16"):
        Limits(waiting=15)


def test_units():
    limits = Limits(megabytes=2, megapixels=3, seconds=30)
    assert (limits.bytes, limits.pixels) == (2_000_000, 3_000_000)
    assert limits.bytes < limits.bytes_together
    assert 0 < limits.decoding_seconds < 30
    assert limits.decoder_bytes > 4 * limits.pixels
