"""Bad input gets one line with the thing, the cause and the remedy; nothing is lost."""

import os
import shutil
import signal
import subprocess
import sys
import time

import h5py
import pytest
from PIL import Image

TINY = ("-b", "featkit:tiny", "--device", "cpu")


def assert_refused(done, *parts, code=1):
    assert done.code == code, done.err
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert "Traceback" not in done.err
    for part in parts:
        assert part in lines[0]


@pytest.fixture
def sample(featkit, tmp_path):
    """A small data set on disk, in HAM10000's layout."""
    folder = tmp_path / "sample"
    assert featkit("data", "sample", folder, "--images", 220, "--size", 24).code == 0
    return folder


@pytest.fixture
def images(tmp_path):
    """A folder a class: four images each of two classes."""
    for shade, name in enumerate(("a", "b")):
        folder = tmp_path / "images" / name
        folder.mkdir(parents=True)
        for number in range(4):
            colour = (40 * number, 90 * shade, 10)
            Image.new("RGB", (20, 20), colour).save(folder / f"{name}{number}.png")
    return tmp_path / "images"


def test_missing_path(featkit, tmp_path):
    assert_refused(featkit("extract", tmp_path / "none", *TINY), "none does not exist")
    assert_refused(featkit("fit", tmp_path / "none.h5"), "none.h5")
    assert_refused(featkit("compare", tmp_path / "none"), "no Runs in")
    assert_refused(featkit("inspect", tmp_path / "none.npz"), "does not exist")
    assert_refused(featkit("inspect", tmp_path), "is a folder", code=2)
    assert_refused(featkit("backbones", "nonesuch"), "no backbone matches", code=2)


def test_empty_folder(featkit, tmp_path):
    (tmp_path / "empty").mkdir()
    assert_refused(featkit("data", "check", tmp_path / "empty"), "is empty")


def test_metadata_without_the_images(featkit, sample):
    for folder in sample.iterdir():
        if folder.is_dir():
            shutil.rmtree(folder)
    assert_refused(featkit("extract", f"ham10000:{sample}", *TINY), "none of the 220 images")


def test_images_without_metadata(featkit, sample):
    next(sample.glob("*.csv")).unlink()
    assert_refused(featkit("extract", f"ham10000:{sample}", *TINY), "holds no HAM10000 metadata")


def test_a_label_outside_the_classes(featkit, sample):
    table = next(sample.glob("*.csv"))
    text = table.read_text()
    assert ",nv," in text
    table.write_text(text.replace(",nv,", ",wart,", 1))
    assert_refused(featkit("extract", f"ham10000:{sample}", *TINY), "wart", "akiec")


def test_one_class_only(featkit, images, tmp_path):
    shutil.rmtree(images / "b")
    out = tmp_path / "one.h5"
    assert featkit("extract", f"folder:{images}", *TINY, "--out", out).code == 0
    assert_refused(featkit("fit", out, "--out", tmp_path / "runs"), "one class")
    assert not (tmp_path / "runs" / "runs").exists()


def test_a_class_with_a_single_lesion(featkit, images, tmp_path):
    for number in (1, 2, 3):
        (images / "b" / f"b{number}.png").unlink()
    for number in range(4, 12):
        Image.new("RGB", (20, 20), (9 * number, 9, 9)).save(images / "a" / f"a{number}.png")
    out = tmp_path / "single.h5"
    assert featkit("extract", f"folder:{images}", *TINY, "--out", out).code == 0
    assert_refused(featkit("fit", out, "--out", tmp_path / "runs"), "class b has 1")


@pytest.mark.parametrize("kept", [0, 100, 5000])
def test_a_feature_file_cut_short(featkit, images, tmp_path, kept):
    out = tmp_path / "cut.h5"
    assert featkit("extract", f"folder:{images}", *TINY, "--out", out).code == 0
    out.write_bytes(out.read_bytes()[:kept])
    for command in (["fit", out, "--out", tmp_path / "runs"], ["inspect", out]):
        assert_refused(featkit(*command), "cut.h5")
    assert not (tmp_path / "runs").exists()


def test_a_decoder_that_is_not_there(featkit, images, tmp_path):
    out = tmp_path / "x.h5"
    done = featkit("extract", f"folder:{images}", *TINY, "--decoder", "gpu", "--out", out)
    assert_refused(done, "--decoder gpu", "cpu is no NVIDIA GPU", "--decoder cpu", code=2)


def test_budgets_of_zero_and_above_100(featkit, tmp_path):
    out = tmp_path / "x.h5"
    with h5py.File(out, "w"):
        pass
    for budgets in ("0", "101", "-1", "nan", ","):
        assert_refused(featkit("fit", out, f"--budgets={budgets}"), "budget", code=2)


def test_a_read_only_output_folder(featkit, images, tmp_path):
    """A path below a file refuses every user, root too."""
    (tmp_path / "file").write_text("mine")
    done = featkit("extract", f"folder:{images}", *TINY, "--out", tmp_path / "file" / "x.h5")
    assert_refused(done, "cannot write")
    out = tmp_path / "x.h5"
    assert featkit("extract", f"folder:{images}", *TINY, "--out", out).code == 0
    assert_refused(featkit("fit", out, "--folds", 2, "--out", tmp_path / "file"), "cannot write")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_without_write_permission(featkit, images, tmp_path):
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o500)
    done = featkit("extract", f"folder:{images}", *TINY, "--out", locked / "x.h5")
    assert_refused(done, "no permission")


def run_limited(limit: int, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command in a process that may not write files above `limit` bytes."""
    code = (
        f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))\n"
        "from featkit_cli.main import main; main()"
    )
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_full_disk_during_extract_loses_nothing(featkit, tmp_path):
    out = tmp_path / "x.h5"
    job = ("extract", "synthetic:images=220,size=24", *TINY, "--out", out)
    done = run_limited(20_000, *job)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "disk or quota is full" in done.stderr
    assert not out.exists()
    assert featkit(*job).code == 0


def test_a_device_to_fit_on_that_is_not_there(featkit, tmp_path):
    out = tmp_path / "x.h5"
    assert featkit("extract", "synthetic:images=60,size=24", *TINY, "--out", out).code == 0
    assert_refused(featkit("fit", out, "--device", "tpu"), "--device tpu", code=2)


def test_a_full_disk_during_fit_keeps_the_finished_runs(featkit, tmp_path):
    out = tmp_path / "x.h5"
    assert featkit("extract", "synthetic:images=260,size=24", *TINY, "--out", out).code == 0
    fit = ("fit", out, "--out", tmp_path / "runs", "--head", "linear", "--budgets", "50,100")
    first = featkit(*fit, "--draws", 1, "--folds", 3, "--jobs", 1)
    assert first.code == 0, first.err
    before = {path: path.read_bytes() for path in (tmp_path / "runs" / "runs").iterdir()}
    table = (tmp_path / "runs" / "results.csv").read_bytes()
    done = run_limited(2000, *fit, "--draws", 2, "--folds", 3, "--jobs", 1)
    assert done.returncode == 1
    assert "disk or quota is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert (tmp_path / "runs" / "results.csv").read_bytes() == table


def test_two_processes_on_one_output(featkit, start, tmp_path):
    out = tmp_path / "x.h5"
    job = ("extract", "synthetic:images=3000,size=96", *TINY, "--out", out, "--workers", 1)
    first = start(*job)
    try:
        parts = tmp_path / "x.h5.parts"
        deadline = time.monotonic() + 60
        while not parts.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert_refused(featkit(*job), "being written by another process")
    finally:
        first.send_signal(signal.SIGINT)
        _, err = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "Continue with the same command" in err
    assert "Traceback" not in err
