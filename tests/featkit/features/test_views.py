import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from featkit.features._views import view_of


def picture(width, height, seed=0):
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 60),
    height=st.integers(1, 60),
    image_id=st.text(max_size=8),
    view=st.integers(1, 50),
)
def test_a_view_is_a_mild_variation_of_its_own(width, height, image_id, view):
    image = picture(width, height)
    before = image.tobytes()
    varied = view_of(image, image_id=image_id, view=view)
    again = view_of(picture(width, height), image_id=image_id, view=view)
    assert varied.tobytes() == again.tobytes()
    assert image.tobytes() == before
    assert varied.mode == "RGB"
    # The crop keeps 70% or more of the area (less rounding), in the image's own proportions.
    sides = sorted(varied.size), sorted(image.size)
    for found, full in zip(*sides, strict=True):
        assert 0.7**0.5 * full - 0.5 <= found <= full


def test_view_zero_is_the_image_itself():
    image = picture(8, 6)
    assert view_of(image, image_id="a", view=0) is image


def test_views_differ_by_image_and_number():
    image = picture(40, 30)
    seen = {
        view_of(image, image_id=name, view=view).tobytes() for name in "abc" for view in (1, 2, 3)
    }
    assert len(seen) == 9


def test_all_eight_positions_occur():
    corners = np.zeros((40, 40, 3), dtype=np.uint8)
    corners[:20, :20], corners[:20, 20:], corners[20:, :20] = 40, 90, 140
    corners[20:, 20:] = 190
    found = set()
    for view in range(1, 80):
        pixels = np.asarray(view_of(Image.fromarray(corners), image_id="x", view=view))
        quarter = pixels[[2, 2, -3, -3], [2, -3, 2, -3], 0]
        found.add(tuple(np.argsort(quarter)))
    assert len(found) == 8


def test_light_changes_by_a_tenth_at_most():
    grey = Image.new("RGB", (10, 10), (100, 100, 100))
    levels = [np.asarray(view_of(grey, image_id="x", view=view)).mean() for view in range(1, 40)]
    assert 88 < min(levels) < 97
    assert 103 < max(levels) < 112


def test_the_choices_never_change():
    """A change here makes stores of several views differ from those of an earlier version."""
    image = Image.new("RGB", (100, 75))
    sizes = [view_of(image, image_id="ISIC_0024306", view=view).size for view in range(1, 6)]
    assert sizes == [(73, 97), (67, 90), (97, 73), (88, 66), (94, 70)]
