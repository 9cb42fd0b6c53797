"""The plan for very many images: its page is what the script writes, its arithmetic is plain."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def plan(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "scripts" / "scale_plan.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def cells(text: str, *starts: str) -> list[str]:
    """Return the cells of the row that begins so."""
    (line,) = (
        line
        for line in text.splitlines()
        if [cell.strip() for cell in line.split("|")[1 : 1 + len(starts)]] == list(starts)
    )
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_the_page_is_what_the_script_writes():
    done = plan("--check")
    assert done.returncode == 0, done.stderr


def test_time_and_price_are_plain_arithmetic():
    """One GPU at 1,000 images/s, all of it reached; the driver 1 ms an image: an hour and one."""
    done = plan(
        "--images=3.6e6", "--gpus", "1", "10", "--gpu-rate=vit_base=1000", "--share=1",
        "--cores-per-gpu=1e6", "--nic-gbit=1e6", "--write-gb=1e6", "--gpu-price=3",
        "--listing-us=900", "--joining-us=100",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout, "1")[-1] == "2.0 h, $6"
    assert cells(done.stdout, "10")[-1] == "66 min, $33"


@pytest.mark.parametrize(
    ("option", "lowest"), [("--cores-per-gpu=1", 2), ("--nic-gbit=0.001", 3), ("--share=1", 1)]
)
def test_the_lowest_place_is_marked(option, lowest):
    rows = plan(option, "--gpu-rate=vit_base=10").stdout
    if lowest == 1:
        assert cells(rows, "ViT-B/16", "**10**")
    else:
        found = [line for line in rows.splitlines() if line.startswith("| MobileNetV2 | 10,810")]
        assert found[0].split("|")[1 + lowest].strip().startswith("**")


def test_a_single_gpu_has_the_network_card_to_itself():
    """1 Gbit/s is 125 MB/s, or 1,250 images of 100 kB; eight GPUs share it."""
    options = ["--images=1.25e6", "--nic-gbit=1", "--image-kb=100", "--decode-rate=1e6"]
    options += ["--share=1", "--listing-us=1e-6", "--joining-us=1e-6", "--gpus", "1", "8"]
    done = plan(*options, "--gpu-rate=vit_base=1e5")
    assert done.returncode == 0, done.stderr
    assert cells(done.stdout, "1")[-1].startswith("17 min")
    assert cells(done.stdout, "8")[-1].startswith("17 min")


def test_files_of_another_size_decode_at_another_rate():
    done = plan("--image-kb=900")
    assert done.returncode == 2
    assert "give --decode-rate, too" in done.stderr


def test_what_cannot_be_done_in_time_is_said():
    assert "not possible: the driver alone takes" in plan("--images=1e9").stdout


def test_what_is_assumed_says_so():
    text = plan().stdout
    kinds = re.findall(r"\| (measured|\*\*assumed\*\*): ", text)
    assert {"measured", "**assumed**"} == set(kinds)
    for line in text.splitlines():
        if " and 24 cores" in line:
            assert "(assumed)" in line


@pytest.mark.parametrize(
    "words", [["--images=0"], ["--gpu-rate=alexnet=5"], ["--gpu-rate=vit_base=-1"], ["--share=nan"]]
)
def test_what_cannot_be_meant_is_refused(words):
    done = plan(*words)
    assert done.returncode == 2
    assert "error: argument" in done.stderr
