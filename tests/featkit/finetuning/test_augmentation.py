import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import map_coordinates
from torchvision.transforms.v2 import functional as tvf

from featkit.finetuning import AUGMENTATIONS
from featkit.finetuning._augmentation import CHANCES, Augmentation
from featkit.finetuning._geometry import sources
from featkit.finetuning._pixels import Raw
from featkit.finetuning.recipe import STEPS

CPU = torch.device("cpu")


def photo(height, width, seed=3):
    rng = np.random.default_rng(seed)
    small = rng.integers(40, 216, (4, 5, 3), dtype=np.uint8)
    return np.array(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def raw(images):
    shapes = np.array([image.shape[:2] for image in images])
    sizes = shapes.prod(axis=1)
    pixels = np.concatenate([image.reshape(-1, 3) for image in images])
    return Raw(torch.from_numpy(pixels), np.cumsum(sizes) - sizes, shapes)


def drawn(number, seed=0, **fixed):
    """Chances of so many images; those that are named are given."""
    chances = np.random.default_rng(seed).random((number, len(CHANCES)))
    for name, value in fixed.items():
        chances[:, CHANCES.index(name)] = value
    return chances


def vary(steps, preprocessing, images, chances):
    """Return views as pixels from 0 to 255, shape (B, H, W, 3)."""
    found = Augmentation(steps, preprocessing, CPU)(chances, raw(images))
    assert found.is_contiguous(memory_format=torch.channels_last)
    mean, std = (torch.tensor(v).view(3, 1, 1) for v in (preprocessing.mean, preprocessing.std))
    return (255 * (found * std + mean)).permute(0, 2, 3, 1).numpy()


@pytest.mark.parametrize("size", [(12, 15), (20, 12), (10, 10), (31, 11), (13, 12)])
def test_no_steps_are_the_preprocessings_own_crop(fakes, size):
    preprocessing, image = fakes.preprocessing(), photo(*size)
    found = vary((), preprocessing, [image], drawn(1))
    expected = preprocessing.cropped(image)
    np.testing.assert_allclose(found[0], expected, atol=1e-3)


def test_an_image_does_not_depend_on_its_batch(fakes):
    preprocessing = fakes.preprocessing(resize=12, crop=(10, 10))
    images = [photo(12, 12 + number % 7, number) for number in range(9)]
    chances = drawn(9, seed=5)
    augmentation = Augmentation(STEPS, preprocessing, CPU)
    together = augmentation(chances, raw(images))
    for one in range(9):
        alone = augmentation(chances[one : one + 1], raw(images[one : one + 1]))
        torch.testing.assert_close(together[one], alone[0], rtol=1e-5, atol=1e-5)
    order = [4, 8, 0]
    others = augmentation(chances[order], raw([images[one] for one in order]))
    torch.testing.assert_close(together[order], others, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("level", [level for level in AUGMENTATIONS if level != "none"])
@pytest.mark.parametrize("crop", [(10, 10), (8, 10)])
def test_chances_decide_and_the_size_is_the_networks(fakes, level, crop):
    preprocessing = fakes.preprocessing(resize=(12, 12), crop=crop)
    images, steps = [photo(12, 12)] * 6, AUGMENTATIONS[level]
    found = vary(steps, preprocessing, images, drawn(6))
    assert found.shape == (6, *crop, 3)
    assert found.min() >= -1e-3 and found.max() <= 255 + 1e-3
    np.testing.assert_array_equal(vary(steps, preprocessing, images, drawn(6)), found)
    assert len({one.tobytes() for one in found}) == 6


@pytest.mark.parametrize("step", STEPS)
def test_every_step_does_something_and_is_one_of_the_known(fakes, step):
    preprocessing, images = fakes.preprocessing(), [photo(14, 17)] * 20
    plain, found = (vary(steps, preprocessing, images, drawn(20)) for steps in ((), (step,)))
    assert np.abs(found - plain).max() > 0.1


def test_flips_and_turns_are_the_eight_symmetries(fakes):
    """Of the plain crop, to the pixel, of square images and of oblong ones."""
    preprocessing = fakes.preprocessing(resize=10)
    steps = ("hflip", "vflip", "quarter-turns")
    for width in (10, 16):
        image = photo(10, width)
        plain = preprocessing.cropped(image)
        turned = [np.rot90(plain, quarter) for quarter in range(4)]
        expected = {np.ascontiguousarray(v).tobytes() for t in turned for v in (t, t[:, ::-1])}
        found = vary(steps, preprocessing, [image] * 90, drawn(90))
        assert np.abs(found - found.round()).max() < 1e-3
        assert {one.round().astype(np.uint8).tobytes() for one in found} == expected


def test_a_network_of_oblong_input_is_turned_by_half_only(fakes):
    preprocessing = fakes.preprocessing(resize=(8, 10), crop=(8, 10))
    plain = photo(8, 10)
    found = vary(("quarter-turns",), preprocessing, [plain] * 40, drawn(40)).round()
    expected = {plain.tobytes(), np.ascontiguousarray(plain[::-1, ::-1]).tobytes()}
    assert {one.astype(np.uint8).tobytes() for one in found} == expected


@pytest.mark.parametrize("steps", [("rotation",), ("crop",), STEPS[:5]])
def test_views_are_sampled_bilinearly_where_the_map_says(fakes, steps):
    """SciPy is the oracle of sampling; outside the image is the mean colour."""
    preprocessing = fakes.preprocessing(resize=12, crop=(10, 10))
    images, chances = [photo(12, 13), photo(17, 12), photo(12, 12)], drawn(3, seed=8)
    found = vary(steps, preprocessing, images, chances)
    chance = dict(zip(CHANCES, chances.T, strict=True))
    shapes = np.array([image.shape[:2] for image in images])
    maps = sources(steps, chance, shapes, preprocessing.crop)
    v, u = np.mgrid[:10, :10].astype(float)
    for image, view, ((a, b, c), (d, e, f), _) in zip(images, found, maps, strict=True):
        x, y = a * u + b * v + c, d * u + e * v + f
        height, width = image.shape[:2]
        outside = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
        for channel, fill in enumerate((128, 102, 76)):
            plane = image[..., channel].astype(float)
            expected = map_coordinates(plane, [y, x], order=1, mode="nearest")
            expected[outside] = fill
            np.testing.assert_allclose(view[..., channel], expected, atol=0.02)


def test_a_rotation_is_pillows(fakes):
    preprocessing = fakes.preprocessing(resize=40, crop=(24, 24))
    image = photo(40, 40)
    for chance, degrees in ((1.0, 20.0), (0.0, -20.0), (0.75, 10.0)):
        found = vary(("rotation",), preprocessing, [image], drawn(1, angle=chance))[0]
        turned = Image.fromarray(image).rotate(degrees, Image.Resampling.BILINEAR)
        expected = np.array(turned.crop((8, 8, 32, 32))).astype(float)
        np.testing.assert_allclose(found, expected, atol=1.5)


def test_crops_keep_their_share_and_shape_and_stay_inside():
    shapes = np.array([[146, 195], [195, 146], [146, 146], [146, 600]] * 100)
    chance = dict(zip(CHANCES, drawn(400).T, strict=True))
    maps = sources(("crop",), chance, shapes, (128, 128))
    wide, tall = 128 * maps[:, 0, 0], 128 * maps[:, 1, 1]
    height, width = shapes.T
    share, ratio = wide * tall / (height * width), wide / tall
    assert 0.85 <= ratio.min() < 0.9 and 1.12 < ratio.max() <= 1.18
    fits = width < 2 * height
    assert 0.5 <= share[fits].min() < 0.52 and share[fits].max() <= 1
    np.testing.assert_allclose(tall[~fits], 146)  # half the area does not fit: what fits
    left, top = (maps[:, axis, 2] - maps[:, axis, axis] / 2 + 0.5 for axis in (0, 1))
    assert min(left.min(), top.min()) > -1e-9
    assert (left + wide < width + 1e-9).all() and (top + tall < height + 1e-9).all()


def test_corners_that_a_rotation_invents_have_the_mean_colour(fakes):
    preprocessing = fakes.preprocessing(resize=10)
    black = np.zeros((10, 10, 3), dtype=np.uint8)
    found = vary(("rotation",), preprocessing, [black] * 10, drawn(10)).round()
    assert {tuple(pixel) for pixel in found.reshape(-1, 3)} == {(0, 0, 0), (128, 102, 76)}


@pytest.mark.parametrize(
    ("name", "adjust"),
    [
        ("brightness", tvf.adjust_brightness),
        ("contrast", tvf.adjust_contrast),
        ("saturation", tvf.adjust_saturation),
    ],
)
@pytest.mark.parametrize("chance", [0.0, 0.3, 1.0])
def test_colours_are_torchvisions(fakes, name, adjust, chance):
    preprocessing, image = fakes.preprocessing(resize=10), photo(10, 10)
    neutral = dict.fromkeys(("brightness", "contrast", "saturation", "hue"), 0.5)
    found = vary(("colour",), preprocessing, [image], drawn(1, **{**neutral, name: chance}))[0]
    pixels = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    expected = 255 * adjust(pixels, 0.8 + 0.4 * chance).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found, expected, atol=0.1)


@pytest.mark.parametrize("chance", [0.0, 0.8, 1.0])
def test_hue_is_turned_about_grey_in_torchvisions_direction(fakes, chance):
    preprocessing, image = fakes.preprocessing(resize=10), photo(10, 10)
    neutral = dict.fromkeys(("brightness", "contrast", "saturation"), 0.5)
    found = vary(("colour",), preprocessing, [image], drawn(1, hue=chance, **neutral))[0]
    share = 0.02 * (2 * chance - 1)
    before, after = (
        np.arctan2(np.sqrt(3) * (green - blue), 2 * red - green - blue)
        for red, green, blue in (
            np.moveaxis(pixels.astype(float), 2, 0) for pixels in (image, found)
        )
    )
    turned = (after - before + np.pi) % (2 * np.pi) - np.pi
    np.testing.assert_allclose(turned, 2 * np.pi * share, atol=1e-3)
    np.testing.assert_allclose(found.mean(axis=2), image.mean(axis=2), atol=1e-2)
    pixels = torch.from_numpy(image).permute(2, 0, 1).float() / 255
    expected = 255 * tvf.adjust_hue(pixels, share).permute(1, 2, 0).numpy()
    moved, wanted = (found - image).ravel(), (expected - image).ravel()
    assert np.corrcoef(moved, wanted)[0, 1] > 0.6
    assert np.linalg.norm(moved) == pytest.approx(np.linalg.norm(wanted), rel=0.25)


def test_a_blur_is_torchvisions(fakes):
    preprocessing, image = fakes.preprocessing(resize=16, crop=(16, 16)), photo(16, 16)
    found = vary(("blur",), preprocessing, [image], drawn(1, blur=0.0, sigma=0.5))[0]
    pixels = torch.from_numpy(image).permute(2, 0, 1).float()
    expected = tvf.gaussian_blur(pixels, [5, 5], [0.8, 0.8]).permute(1, 2, 0).numpy()
    np.testing.assert_allclose(found[3:-3, 3:-3], expected[3:-3, 3:-3], atol=0.02)


def test_sharpening_is_torchvisions_also_after_a_blur(fakes):
    preprocessing, image = fakes.preprocessing(resize=16, crop=(16, 16)), photo(16, 16)
    for steps in (("sharpen",), ("blur", "sharpen")):
        chances = drawn(1, blur=0.0, sharpen=0.0, sigma=0.5)
        found = vary(steps, preprocessing, [image], chances)[0]
        pixels = torch.from_numpy(image).permute(2, 0, 1).float() / 255
        if "blur" in steps:
            pixels = tvf.gaussian_blur(pixels, [5, 5], [0.8, 0.8])
        expected = 255 * tvf.adjust_sharpness(pixels, 2).permute(1, 2, 0).numpy()
        np.testing.assert_allclose(found[3:-3, 3:-3], expected[3:-3, 3:-3], atol=0.1)


def test_filters_touch_only_the_images_that_are_drawn(fakes):
    preprocessing, images = fakes.preprocessing(), [photo(14, 17)] * 200
    plain, found = (vary(steps, preprocessing, images, drawn(200)) for steps in ((), ("blur",)))
    changed = np.abs(found - plain).max(axis=(1, 2, 3)) > 1e-3
    chance, sigma = (drawn(200)[:, CHANCES.index(name)] for name in ("blur", "sigma"))
    assert not changed[chance >= 0.3].any()
    assert changed[(chance < 0.3) & (sigma > 0.3)].all()  # a blur of a tenth of a pixel is none
