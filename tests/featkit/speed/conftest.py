"""Measurements of an instant, and findings made up."""

from __future__ import annotations

from dataclasses import replace

import pytest

from featkit.features.rehearsal import Faithfulness
from featkit.speed import BackboneSpeed, Findings, Rate, WaySpeed, rate


def make_rate(middle):
    return Rate(middle, 0.9 * middle, 1.2 * middle, 3)


def make_way(images_per_second=50.0, *, taken=False, error=0.001, **fields):
    check = Faithfulness("fp32", "torch", 32, 1 - error, error, 1.0)
    way = WaySpeed("fp32", "torch", make_rate(images_per_second), check, taken)
    return replace(way, **fields)


def make_speed(*ways, decode=100.0, **fields):
    speed = BackboneSpeed(
        spec="timm:net",
        name="net.a1",
        architecture="net",
        random_weights=False,
        image_size=(224, 224),
        decode=make_rate(decode),
        ways=ways or (make_way(taken=True),),
        together=make_rate(40.0),
        ready_s=4.0,
    )
    return replace(speed, **fields)


def make_findings(*speeds, **fields):
    findings = Findings(
        device="cpu: test, 2 cores",
        beside=False,
        devices=1,
        workers=2,
        openvino=True,
        dataset="folder:x",
        images=1000,
        views=1,
        decoder="cpu",
        backbones=speeds or (make_speed(),),
    )
    return replace(findings, **fields)


@pytest.fixture(scope="session")
def made():
    """Give the makers above (tests cannot import a conftest)."""

    class Made:
        rate = staticmethod(make_rate)
        way = staticmethod(make_way)
        speed = staticmethod(make_speed)
        findings = staticmethod(make_findings)

    return Made


@pytest.fixture
def instant(monkeypatch):
    """Let a measurement take no longer than its passes."""
    monkeypatch.setattr(rate, "_SECONDS", 0.0)
    monkeypatch.setattr(rate, "_PASS_S", 0.001)
