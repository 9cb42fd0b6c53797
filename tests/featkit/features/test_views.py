import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from featkit.features._views import view_of


def picture(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def seen(image, *, image_id, view):
    found = view_of(*image.shape[:2], image_id=image_id, view=view)
    return found.lit(found.shaped(image))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    image_id=st.text(max_size=8),
    view=st.integers(1, 50),
)
def test_a_view_is_a_mild_variation_of_its_own(width, height, image_id, view):
    image = picture(width, height)
    before = image.copy()
    varied = seen(image, image_id=image_id, view=view)
    again = seen(picture(width, height), image_id=image_id, view=view)
    np.testing.assert_array_equal(varied, again)
    np.testing.assert_array_equal(image, before)
    assert varied.dtype == np.uint8
    # The crop keeps 70% or more of the area (less rounding), in the image's own proportions.
    sides = sorted(varied.shape[:2]), sorted(image.shape[:2])
    for found, full in zip(*sides, strict=True):
        assert 0.7**0.5 * full - 0.5 <= found <= full


def test_views_differ_by_image_and_number():
    image = picture(40, 30)
    found = {seen(image, image_id=name, view=n).tobytes() for name in "abc" for n in (1, 2, 3)}
    assert len(found) == 9


def test_all_eight_positions_occur():
    corners = np.zeros((40, 40, 3), dtype=np.uint8)
    corners[:20, :20], corners[:20, 20:], corners[20:, :20] = 40, 90, 140
    corners[20:, 20:] = 190
    found = set()
    for view in range(1, 80):
        pixels = seen(corners, image_id="x", view=view)
        quarter = pixels[[2, 2, -3, -3], [2, -3, 2, -3], 0]
        found.add(tuple(np.argsort(quarter)))
    assert len(found) == 8


def test_light_changes_by_a_tenth_at_most():
    grey = np.full((10, 10, 3), 100, np.uint8)
    levels = [seen(grey, image_id="x", view=view).mean() for view in range(1, 40)]
    assert 88 < min(levels) < 97
    assert 103 < max(levels) < 112


def test_the_choices_never_change():
    """A change here makes stores of several views differ from those of an earlier version."""
    views = [view_of(75, 100, image_id="ISIC_0024306", view=view) for view in range(1, 6)]
    sizes = [(view.width, view.height) for view in views]
    assert sizes == [(97, 73), (90, 67), (97, 73), (88, 66), (94, 70)]
    assert [view.turns for view in views] == [3, 1, 0, 2, 2]
    assert [view.mirrored for view in views] == [True, False, True, False, False]
