"""Decoders that are whole, broken, missing, or that make other pixels."""

import sys

import numpy as np


def test_every_decoder_gives_the_right_pixels(look):
    found = look("decoders")
    assert {each.verdict for each in found.values()} == {"good"}
    assert {"JPEG by Pillow", "JPEG by simplejpeg"} <= set(found)
    lossless = found["PNG, BMP, TIFF, WEBP, GIF by Pillow"]
    assert lossless.value == "give the right pixels"


def test_a_decoder_that_does_not_load_is_bad_alone(look, monkeypatch):
    monkeypatch.setitem(sys.modules, "simplejpeg", None)
    found = look("decoders")
    assert found["JPEG by simplejpeg"].verdict == "bad"
    assert "--force-reinstall simplejpeg" in found["JPEG by simplejpeg"].remedy
    assert found["JPEG by Pillow"].verdict == "good"


def test_a_decoder_that_swaps_colours_is_bad(look, monkeypatch):
    import simplejpeg

    right = simplejpeg.decode_jpeg
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *given: right(*given)[:, :, ::-1])
    found = look("decoders")["JPEG by simplejpeg"]
    assert (found.verdict, found.value[:18]) == ("bad", "gives other pixels")
    monkeypatch.setattr(simplejpeg, "decode_jpeg", lambda *_: np.zeros((96, 95, 3), np.uint8))
    assert "shape (96, 95, 3)" in look("decoders")["JPEG by simplejpeg"].value


def test_a_pillow_without_a_format_is_bad(look, monkeypatch):
    from PIL import Image, WebPImagePlugin

    def fail(*_):
        raise OSError("encoder webp not available")

    monkeypatch.setitem(Image.SAVE, "WEBP", fail)
    assert WebPImagePlugin
    found = look("decoders")["PNG, BMP, TIFF, WEBP, GIF by Pillow"]
    assert found.verdict == "bad"
    assert found.value == "WEBP: OSError: encoder webp not available"


def test_torchcodec_is_an_extra(look, monkeypatch):
    monkeypatch.setattr("featkit.doctor._decoders.find_spec", lambda _: None)
    found = look("decoders")["JPEG by torchcodec"]
    assert (found.verdict, found.remedy) == ("good", "pip install 'featkit[gpu]'")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    broken = look("decoders")["JPEG by torchcodec on cpu"]
    assert broken.verdict == "warn"


def test_without_pillow_there_is_a_finding_and_no_error(look, monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    found = look("decoders")["decoders"]
    assert found.verdict == "bad"
    assert "PIL" in found.value
