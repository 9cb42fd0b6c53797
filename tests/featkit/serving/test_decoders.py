"""Decoders die, hang and take too much: the next file does not notice."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import struct
import threading
import time
import weakref
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from featkit.backbones import load_backbone
from featkit.serving import Limits
from featkit.serving._decoder import Work
from featkit.serving._decoders import Decoder, LostError, Undecoded
from featkit.serving._preparing import Preparing
from featkit.serving.refusals import RefusedError


@pytest.fixture(scope="module")
def preprocessing():
    return load_backbone("featkit:tiny").preprocessing


@pytest.fixture
def decoder(preprocessing):
    found = Decoder(Work(preprocessing, 1, 10**8, 1 << 32))
    yield found
    found.end()


def test_what_comes_back(decoder, photographs, preprocessing):
    found = decoder.decode(photographs[0], seconds=60)
    assert found.pixels.shape == (1, *preprocessing.crop, 3)
    assert (found.width, found.height, found.preview) == (48, 48, None)
    assert decoder.decode(b"x", seconds=60) == Undecoded("image", reason="not an image")
    assert decoder.decode(b"x", seconds=60, preview=True).refused == "image"
    shown = decoder.decode(photographs[0], seconds=60, preview=True).preview
    assert Image.open(BytesIO(shown)).size == (48, 48)
    assert decoder.started == 1


def test_a_file_that_takes_for_ever_is_given_up(decoder, endless, photographs):
    decoder.start()
    began = time.perf_counter()
    with pytest.raises(TimeoutError):
        decoder.decode(endless, seconds=2)
    assert time.perf_counter() - began < 10
    assert decoder.decode(photographs[0], seconds=60).width == 48
    assert decoder.started == 2


def test_a_decoder_that_dies_of_a_file(decoder, endless, photographs):
    decoder.decode(photographs[0], seconds=60)
    killer = threading.Timer(0.3, lambda: os.kill(decoder.pid, signal.SIGSEGV))
    killer.start()
    with pytest.raises(LostError):
        decoder.decode(endless, seconds=60)
    assert decoder.decode(photographs[0], seconds=60).width == 48


def test_memory_is_bounded(preprocessing, photographs):
    large = Image.new("RGB", (8000, 6000), "grey")
    content = _png(large)
    decoder = Decoder(Work(preprocessing, 1, 10**8, 200 << 20))
    try:
        assert decoder.decode(content, seconds=60) == Undecoded("memory")
        assert decoder.decode(photographs[0], seconds=60).width == 48
        assert decoder.started == 1
    finally:
        decoder.end()


def _png(image):
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def test_the_usual_memory_is_enough_for_the_largest_image(preprocessing):
    """Transparency makes the most copies."""
    limits = Limits()
    side = int(limits.pixels**0.5)
    content = _png(Image.new("RGBA", (side, side), (9, 99, 199, 100)))
    decoder = Decoder(Work(preprocessing, 1, limits.pixels, limits.decoder_bytes))
    try:
        found = decoder.decode(content, seconds=60, preview=True)
        assert found.width == side
        assert np.ptp(found.pixels, axis=(1, 2)).max() == 0
        assert max(Image.open(BytesIO(found.preview)).size) <= 640
    finally:
        decoder.end()


def test_one_that_has_ended_is_not_started_again(decoder, photographs):
    decoder.start()
    decoder.end()
    with pytest.raises(LostError):
        decoder.decode(photographs[0], seconds=60)


class Talker:
    """A pipe's other end that says what it likes."""

    def __init__(self, decoder, *said):
        from multiprocessing import Pipe

        process, pipe = decoder.start()
        ours, theirs = Pipe()
        pipe.close()
        decoder._pipe = ours
        for each in said:
            theirs.send_bytes(each)
        self.theirs, self.process = theirs, process


@pytest.mark.parametrize(
    "said",
    [
        [b"no JSON"],
        [b"[" * 60_000],
        [b"[]"],
        [b"3"],
        [b"{}"],
        [b'{"refused": "spell"}'],
        [b'{"refused": "pixels", "pixels": "x"}'],
        [b'{"width": 1, "height": 1, "seen": [0, 0, 1]}'],
        [b'{"width": 1, "height": 1, "seen": [0, 0, 1, 1]}', b"12"],
        [b'{"width": 1, "height": 1, "seen": [0, 0, 1, 1]}', b"1" * 100_000],
        [b"x" * 100_000],
        [struct.pack("!i", -1)],
    ],
)
def test_nonsense_from_a_decoder_costs_it_its_life(decoder, photographs, said):
    talker = Talker(decoder, *said)
    with pytest.raises(LostError):
        decoder.decode(photographs[0], seconds=60)
    assert not talker.process.is_alive()
    assert decoder.decode(photographs[0], seconds=60).width == 48


def prepared(preprocessing, talk, **options):
    """Let `talk(preparing)` happen with decoders that are awake."""
    limits = options.pop("limits", Limits())

    async def whole():
        preparing = Preparing(preprocessing, views=1, limits=limits, processes=2, **options)
        try:
            await preparing.wake()
            return await talk(preparing)
        finally:
            preparing.close()

    return asyncio.run(whole())


def test_killed_decoders_lose_no_image(preprocessing, photographs):
    async def talk(preparing):
        async def kill():
            for _ in range(6):
                await asyncio.sleep(0.05)
                for decoder in preparing.decoders:
                    if decoder.pid is not None:
                        os.kill(decoder.pid, signal.SIGKILL)

        killing = asyncio.create_task(kill())
        found = []
        while not killing.done():
            found += await asyncio.gather(
                *(preparing.prepare(each) for each in photographs), return_exceptions=True
            )
        # One may be hit twice, by chance; the others are whole, and in their places.
        alone = [await preparing.prepare(each) for each in photographs]
        assert preparing.lost > 0
        return found, alone

    found, alone = prepared(preprocessing, talk)
    lost = [each for each in found if isinstance(each, RefusedError)]
    assert len(lost) <= 1 + len(found) // 20
    for place, image in enumerate(found):
        if not isinstance(image, RefusedError):
            assert (image.pixels == alone[place % len(alone)].pixels).all()


def test_an_endless_file_among_others(preprocessing, photographs, endless):
    async def talk(preparing):
        files = [endless, *photographs[:6]]
        return await asyncio.gather(*map(preparing.prepare, files), return_exceptions=True)

    endless_one, *others = prepared(preprocessing, talk, limits=Limits(seconds=4.5))
    assert (endless_one.status, endless_one.refusal.code) == (422, "too_slow")
    assert all(each.width == 48 for each in others)


def test_who_leaves_takes_what_waits_along(preprocessing, photographs, endless):
    async def talk(preparing):
        waiting = [asyncio.create_task(preparing.prepare(endless)) for _ in range(20)]
        await asyncio.sleep(0.1)
        for each in waiting:
            each.cancel()
        began = time.perf_counter()
        await preparing.prepare(photographs[0])
        return time.perf_counter() - began

    # Two are being decoded and end at their limit of a second; eighteen are never begun.
    assert prepared(preprocessing, talk, limits=Limits(seconds=3)) < 5


def test_who_leaves_leaves_no_content_behind(preprocessing, endless):
    class Content:
        """Of a file that is never decoded; bytes cannot be watched."""

    async def talk(preparing):
        held = [asyncio.create_task(preparing.prepare(endless)) for _ in preparing.decoders]
        await asyncio.sleep(0.1)
        contents = [Content() for _ in range(20)]
        watched = [weakref.ref(each) for each in contents]
        waiting = [asyncio.create_task(preparing.prepare(each)) for each in contents]
        del contents
        await asyncio.sleep(0.1)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
        del waiting, each
        gc.collect()
        left = sum(ref() is not None for ref in watched)
        await asyncio.gather(*held, return_exceptions=True)
        return left

    assert prepared(preprocessing, talk, limits=Limits(seconds=6)) == 0


def test_a_decoder_is_free_only_once_its_file_is_done(preprocessing, photographs, endless):
    async def talk(preparing):
        held = [asyncio.create_task(preparing.prepare(endless)) for _ in preparing.decoders]
        await asyncio.sleep(0.1)
        for each in held:
            each.cancel()
        found = await asyncio.gather(*(preparing.prepare(each) for each in photographs[:4]))
        return [each.width for each in found]

    assert prepared(preprocessing, talk, limits=Limits(seconds=3)) == [48] * 4


def test_closing_ends_what_hangs(preprocessing, endless):
    async def talk(preparing):
        asyncio.get_running_loop().call_later(0.2, preparing.close)
        began = time.perf_counter()
        with pytest.raises((RefusedError, asyncio.CancelledError)):
            await preparing.prepare(endless)
        return time.perf_counter() - began

    assert prepared(preprocessing, talk) < 5
