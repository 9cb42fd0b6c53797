"""`featkit finetune` through the real command line, beside `featkit fit`."""

import csv
import json
import signal
import time

import pytest

SAMPLE = "synthetic:images=90,size=32"
TINY = ("-b", "featkit:tiny", "--image-size", 32, "--device", "cpu", "--workers", 1)
CELL = ("--budgets", 100, "--draws", 1, "--folds", 3)
QUICK = ("--epochs", 1, "--recipe", "min_steps=0")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("finetune")


@pytest.fixture
def runs(featkit, folder):
    """A folder with a head's Runs and a fine-tuned one, made once by the commands."""
    path, features = folder / "runs", folder / "f.h5"
    if not path.exists():
        extract = ("extract", SAMPLE, *TINY[:6], "--precision", "fp32", "--out", features)
        assert featkit(*extract).code == 0
        fit = ("fit", features, "--out", path, *CELL, "--head", "linear", "--jobs", 1)
        assert featkit(*fit).code == 0
        done = featkit(
            "finetune", SAMPLE, *TINY, *CELL, *QUICK, "--out", path, "--strategy", "last"
        )
        assert done.code == 0, done.err
        assert "1 run trained, 0 were there" in done.out
        assert f"Next: featkit compare {path}" in done.out
    return path


def test_fine_tuned_and_frozen_runs_stand_in_one_folder(featkit, runs):
    with (runs / "results.csv").open() as handle:
        rows = list(csv.DictReader(handle))
    assert {row["method"] for row in rows} == {"linear", "finetune-last"}
    assert len({row["train_images"] for row in rows}) == 1
    shown = featkit("compare", runs, "--resamples", 100)
    assert shown.code == 0, shown.err
    assert "tiny / linear" in shown.out
    assert "tiny / finetune-last" in shown.out


def test_the_same_again_trains_nothing(featkit, runs):
    command = ("finetune", SAMPLE, *TINY, *CELL, *QUICK, "--out", runs, "--strategy", "last")
    done = featkit(*command, "--json")
    assert json.loads(done.out) == {"folder": str(runs), "trained": 0, "reused": 1}
    # The same in other words: more threads, and the option as a part of the recipe.
    other = (*TINY[:6], "--workers", 2, "--recipe", "epochs=1", "--recipe", "min_steps=0")
    done = featkit("finetune", SAMPLE, *other, *CELL, "--out", runs, "--strategy", "last", "--json")
    assert json.loads(done.out)["trained"] == 0


def test_external_validation(featkit, tmp_path):
    done = featkit(
        "finetune", SAMPLE, *TINY, *CELL, *QUICK, "--strategy", "head",
        "--test", "synthetic:images=60,size=32,seed=8", "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.err
    with (tmp_path / "out" / "results.csv").open() as handle:
        (row,) = csv.DictReader(handle)
    assert row["test_images"] == "60"


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (("--strategy", "everything"), 2, "everything"),
        (("--recipe", "learning_rate=1"), 2, "recipe option learning_rate"),
        (("--recipe", "clip"), 2, "--recipe clip: it has no ="),
        (("--recipe", "optimizer=lion"), 2, "optimizer lion"),
        (("--lr", "nan"), 2, "lr=nan"),
        (("--device", "tpu"), 2, "--device tpu"),
        (("--recipe", "precision=fp16"), 2, "precision fp16"),
        (("--exclude-class", "wart"), 2, "--exclude-class wart"),
        (("--use-folds", 9), 2, "--use-folds 9"),
        (("--save-models",), 1, "cannot save a fine-tuned featkit:tiny"),
        (("--test", SAMPLE), 1, "also in"),
        (("--duplicates", "none.csv"), 1, "none.csv"),
    ],
)
def test_bad_options_get_one_line_and_train_nothing(featkit, tmp_path, options, code, words):
    done = featkit("finetune", SAMPLE, *TINY, *CELL, *QUICK, *options, "--out", tmp_path / "out")
    assert done.code == code, done.err
    lines = done.err.strip().splitlines()
    assert len(lines) == 1, done.err
    assert words in lines[0]
    assert "Traceback" not in done.err
    assert not list(tmp_path.glob("out/runs/*"))


def test_another_plans_folder_is_refused(featkit, runs):
    before = {path: path.read_bytes() for path in (runs / "runs").iterdir()}
    done = featkit("finetune", SAMPLE, *TINY, *CELL, *QUICK, "--seed", 4, "--out", runs)
    assert done.code == 1
    assert "holds Runs of another Plan: seed (0 and 4)" in done.err
    assert {path: path.read_bytes() for path in before} == before


def test_a_loss_that_is_no_number_and_a_lower_rate(featkit, tmp_path):
    command = (
        "finetune", SAMPLE, *TINY, *CELL, "--strategy", "full", "--out", tmp_path / "out",
        "--epochs", 3, "--recipe", "min_steps=0", "--recipe", "clip=0", "--recipe", "optimizer=sgd",
        "--recipe", "warmup=0",
    )  # fmt: skip
    done = featkit(*command, "--lr", "1e8")
    assert done.code == 1
    assert "finetune-full at 100% (fold 0, draw 0) diverged" in done.err
    assert "Lower it, for example lr=0.0001" in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert featkit(*command, "--lr", "1e-3").code == 0


def test_images_that_cannot_be_read_are_told(featkit, tmp_path):
    assert featkit("data", "sample", tmp_path / "s", "--images", 90, "--size", 32).code == 0
    victim = min(path for path in (tmp_path / "s").rglob("*.jpg"))
    victim.write_bytes(b"")
    done = featkit(
        "finetune", tmp_path / "s", *TINY, *CELL, *QUICK, "--strategy", "head",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert f"1 image not readable, {victim.stem} for one: 0 bytes" in done.err


def test_an_interrupt_leaves_no_traceback(start, tmp_path):
    process = start(
        "finetune", "synthetic:images=300,size=32", "-b", "featkit:tiny", "--image-size", 32,
        "--device", "cpu", *CELL, "--strategy", "full", "--epochs", 500,
        "--recipe", "patience=0", "--imbalance", "oversample", "--out", tmp_path / "out",
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not list(tmp_path.glob("out/pixels/*/images.json")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.1)
        time.sleep(1)
    finally:
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "Continue with the same command: featkit finetune" in err
    assert not list(tmp_path.glob("out/runs/*"))
