"""Decoding in batches where features are computed; here that is a CPU, with libjpeg for nvJPEG."""

import sys
import threading
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from featkit.backbones.preprocessing import Preprocessing
from featkit.data import FileImages
from featkit.data.decoding import decode_pixels, file_hash, pixel_hash
from featkit.data.held import HeldImages
from featkit.errors import BackboneError
from featkit.features import _device_decoding, _device_loader
from featkit.features._device_decoding import decodable
from featkit.features._device_loader import DeviceLoader
from featkit.features._loader import Loader

pytest.importorskip("torchcodec", reason="needs the extra gpu")

CPU = torch.device("cpu")


def encoded(image, kind="jpeg", **options):
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def described():
    """Return Exif without an orientation."""
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "camera"
    return exif


@pytest.fixture
def jpegs(fakes):
    """Return JPEG files of three sizes, and of every kind that is usual."""
    photos = [fakes.photo(number, size=(52 + 8 * (number % 3), 40)) for number in range(9)]
    files = [encoded(photo, quality=95, subsampling=row % 3) for row, photo in enumerate(photos)]
    grey = encoded(photos[0].convert("L"))
    progressive = encoded(photos[1], progressive=True)
    padded = encoded(photos[2]) + bytes(16)
    return [*files, grey, progressive, padded]


def turned(photo, orientation):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return encoded(photo, exif=exif)


def loaded(fakes, files, *, batches=None, devices=(CPU,), **fields):
    """Return pixels (N, V, H, W, 3), hashes and reasons, from host and device."""
    preprocessing = replace(fakes.backbone().preprocessing, **fields)
    dataset = fakes.dataset(len(files), images=HeldImages(files))
    found = []
    for loader in (
        Loader(dataset, preprocessing, 1, 2),
        DeviceLoader(dataset, preprocessing, 2, devices),
    ):
        made = list(loader.batches(batches or [range(len(files))]))
        found.append(
            (
                torch.cat([batch.pixels for batch in made]),
                [text for batch in made for text in batch.image_hash],
                [text for batch in made for text in batch.reason],
            )
        )
    return found


def assert_close(host, device):
    difference = (host.int() - device.int()).abs()
    assert difference.max() <= 1
    assert (difference > 0).float().mean() < 0.2  # the host rounds after either direction


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic"])
def test_pixels_are_those_of_the_host_but_for_rounding(fakes, jpegs, interpolation):
    host, device = loaded(fakes, jpegs, interpolation=interpolation)
    assert_close(host[0], device[0])
    assert device[2] == [""] * len(jpegs)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_tags_are_obeyed(fakes, orientation):
    host, device = loaded(fakes, [turned(fakes.photo(1), orientation)])
    assert_close(host[0], device[0])


def test_xmp_is_left_to_the_host(fakes):
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/" tiff:Orientation="6"/>'
    data = encoded(fakes.photo(1), xmp=xmp)
    host, device = loaded(fakes, [data])
    assert_close(host[0], device[0])
    assert host[1] == device[1] == [pixel_hash(decode_pixels(data))]


def test_files_are_known_again_by_themselves_and_whatever_the_host_decodes_by_its_pixels(fakes):
    photo = fakes.photo(1)
    jpeg, png = encoded(photo), encoded(photo, "png")
    cmyk = encoded(photo.convert("CMYK"))
    (host, expected, _), (device, hashes, _) = loaded(fakes, [jpeg, png, cmyk, jpeg])
    assert hashes == [file_hash(jpeg), expected[1], expected[2], file_hash(jpeg)]
    assert_close(host, device)


def test_images_that_are_no_files(fakes):
    preprocessing = fakes.backbone().preprocessing
    dataset = fakes.dataset(7, broken={2: "0 bytes"})
    [here] = Loader(dataset, preprocessing, 1, 2).batches([range(7)])
    [there] = DeviceLoader(dataset, preprocessing, 2, (CPU,)).batches([range(7)])
    assert_close(here.pixels, there.pixels)
    assert (here.image_hash, here.reason) == (there.image_hash, there.reason)


def test_damaged_files_fail_as_on_the_host_and_touch_no_others(fakes, jpegs):
    whole, strip = jpegs[0], encoded(Image.new("RGB", (1200, 8)))
    spoilt = bytearray(jpegs[3])
    spoilt[len(spoilt) // 2 : len(spoilt) // 2 + 40] = bytes(40)
    bad = [whole[:300], b"", b"text", whole[:-200], strip, bytes(spoilt)]
    (here, _, reasons), (there, hashes, found) = loaded(fakes, [*jpegs, *bad])
    assert found == reasons
    assert here.shape == there.shape
    assert found[-6:-1] == [
        "truncated file",
        "0 bytes",
        "not an image",
        "truncated file",
        "not a photograph's shape: 1200 x 8 px",
    ]
    assert hashes[-6:-1] == [""] * 5
    assert_close(here, there)
    _, (alone, _, _) = loaded(fakes, jpegs)
    torch.testing.assert_close(there[: len(jpegs)], alone, rtol=0, atol=0)


def test_batches_go_round_the_devices_and_come_in_order(fakes, jpegs):
    files = jpegs * 5
    batches = [range(0, 16), range(16, 17), range(17, 60)]
    (host, _, _), (device, hashes, _) = loaded(fakes, files, batches=batches, devices=(CPU, CPU))
    assert_close(host, device)
    assert hashes == [file_hash(file) for file in files]


@pytest.mark.parametrize(
    "fields",
    [
        {"resize": (12, 20), "crop": (12, 20)},
        {"resize": (16, 16), "border": True},
        {"resize": 12},  # smaller than the crop
        {"resize": 31, "crop": (17, 30)},
    ],
)
def test_any_preprocessing(fakes, jpegs, fields):
    host, device = loaded(fakes, jpegs, **fields)
    assert_close(host[0], device[0])


def test_threads_end_when_the_generator_is_closed(fakes, jpegs):
    dataset = fakes.dataset(len(jpegs), images=HeldImages(jpegs))
    loader = DeviceLoader(dataset, fakes.backbone().preprocessing, 2, (CPU,))
    batches = loader.batches(range(n, n + 1) for n in range(len(jpegs)))
    next(batches)
    batches.close()
    assert not [thread for thread in threading.enumerate() if "featkit" in thread.name]


def test_without_torchcodec(fakes, jpegs, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    with pytest.raises(BackboneError, match=r"torchcodec is not installed\. .*featkit\[gpu\]"):
        loaded(fakes, jpegs)


@pytest.mark.parametrize("begun", [False, True])
@pytest.mark.parametrize(
    "words",
    [
        "torchcodec was not compiled with nvJPEG support.",
        "nvjpegDecode failed: 5",
        "CUDA out of memory",
    ],
)
def test_a_device_that_fails_is_no_damaged_file(fakes, jpegs, monkeypatch, begun, words):
    """Nothing is decoded by the host that was for the device to decode."""

    def fails(_files, device):
        raise RuntimeError(words)

    if begun:
        monkeypatch.setattr(_device_loader, "check_decoding", lambda _device: None)
    monkeypatch.setattr("torchcodec.decoders.decode_jpeg", fails)
    with pytest.raises(BackboneError, match=rf"on cpu: {words.rstrip('.')}.* Use --decoder cpu"):
        loaded(fakes, jpegs)


def test_a_device_that_makes_other_pixels(fakes, jpegs, monkeypatch):
    monkeypatch.setattr(
        "torchcodec.decoders.decode_jpeg",
        lambda files, device: [torch.zeros(3, 256, 256, dtype=torch.uint8) for _ in files],
    )
    with pytest.raises(BackboneError, match="its decoder makes other pixels"):
        loaded(fakes, jpegs)


def test_what_is_decoded_together_is_bounded(fakes, jpegs, monkeypatch):
    (_, _, _), (whole, hashes, _) = loaded(fakes, jpegs)
    monkeypatch.setattr(_device_loader, "_PIXELS", 5000)
    portions, decode = [], _device_decoding._decode_jpegs
    monkeypatch.setattr(
        _device_decoding,
        "_decode_jpegs",
        lambda files, device: (portions.append(len(files)), decode(files, device))[1],
    )
    (_, _, _), (found, again, _) = loaded(fakes, jpegs)
    torch.testing.assert_close(found, whole, rtol=0, atol=0)
    assert hashes == again
    assert max(portions) == 2  # of 2,080 to 2,720 pixels each
    assert sum(portions) == len(jpegs) + 2  # and two of the check


@pytest.mark.parametrize(
    ("options", "plain"),
    [
        ({}, True),
        ({"subsampling": "4:1:1"}, True),
        ({"keep_rgb": True}, False),
        ({"exif": described()}, True),
    ],
)
def test_what_is_for_the_device_to_decode(fakes, options, plain):
    photo = fakes.photo(3)
    data = encoded(photo, **options)
    assert decodable(data) == (photo.width * photo.height if plain else 0)
    host, device = loaded(fakes, [data])
    assert_close(host[0], device[0])
    assert device[1] == [file_hash(data) if plain else pixel_hash(decode_pixels(data))]


def test_reductions_of_any_size(fakes):
    photo = Image.linear_gradient("L").resize((1500, 1400)).convert("RGB")
    host, device = loaded(fakes, [encoded(photo)], resize=16)
    assert_close(host[0], device[0])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
@pytest.mark.shared
def test_a_gpu_gives_nearly_the_same_pixels(shared, fakes, monkeypatch):
    files = sorted((shared / "fullres").glob("*.jpg"))
    dataset = fakes.dataset(len(files), images=FileImages(files))
    preprocessing = Preprocessing(
        resize=256, crop=(224, 224), interpolation="bicubic", mean=(0.5,) * 3, std=(0.2,) * 3
    )
    rows = [range(len(files))]
    [host] = Loader(dataset, preprocessing, 1, 2).batches(rows)
    # What falls back to the host would pass for the GPU's.
    monkeypatch.setattr(_device_decoding, "decode_pixels", None)
    monkeypatch.setattr(_device_loader, "decode_pixels", None)
    monkeypatch.setattr(_device_loader, "check_decoding", lambda _device: None)
    [there] = DeviceLoader(dataset, preprocessing, 2, (torch.device("cuda:0"),)).batches(rows)
    assert there.pixels.is_cuda
    assert there.image_hash == [file_hash(file.read_bytes()) for file in files]
    difference = np.abs(host.pixels.numpy().astype(int) - there.pixels.cpu().numpy())
    assert difference.mean() < 1
    assert there.reason == host.reason
