from contextlib import ExitStack, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from featkit.serving import Limits
from featkit.serving._room import Room
from featkit.serving.refusals import RefusedError

LIMITS = Limits(megabytes=1e-3, images=4, waiting=10)


@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 5000), st.booleans()), min_size=1, max_size=20
    )
)
def test_never_more_inside_than_allowed_and_none_stays(requests):
    room = Room(LIMITS)
    with ExitStack() as inside:
        for images, size, leaves in requests:
            with suppress(RefusedError), ExitStack() as visitor:
                visit = visitor.enter_context(room.visit())
                visit.bring(size=size)
                visit.bring(images=images)
                if not leaves:
                    inside.push(visitor.pop_all())
            assert 0 <= room.images <= LIMITS.waiting
            assert 0 <= room.bytes <= LIMITS.bytes_together
    assert (room.images, room.bytes) == (0, 0)


def test_who_finds_no_room_is_told_to_come_again():
    room = Room(LIMITS)
    with room.visit() as visit:
        visit.bring(images=9)
        with pytest.raises(RefusedError, match="10 images are being answered, of 10") as caught:
            room.take(1, 0)
    assert (caught.value.status, caught.value.refusal.code) == (503, "too_busy")
