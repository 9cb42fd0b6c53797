"""featkit and its rivals, as contenders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from benchmarks.environments import thingsvision_python
from benchmarks.extraction.job import Job
from benchmarks.harness import Absent, Contender, Measurement, Script, run_script

__all__ = ["FEATKIT", "PLAIN", "THINGSVISION", "contenders"]

FEATKIT, PLAIN, THINGSVISION = "featkit", "plain script", "thingsvision"
_GPU_DECODER = "featkit --decoder gpu"


def contenders(job: Job, first: int) -> tuple[list[Contender], list[Absent]]:
    """Return who can be measured, and who cannot.

    Args:
        job: The network.
        first: Images of a first trial.
    """
    able = [
        Contender(FEATKIT, lambda number: _featkit(job, number), first),
        Contender(PLAIN, lambda number: _plain(job, number), first),
    ]
    if job.settings.device == "cuda":
        able.append(Contender(_GPU_DECODER, lambda number: _featkit(job, number, "gpu"), first))
    python = thingsvision_python(job.settings)
    if isinstance(python, Absent):
        return able, [python]
    found: Path = python
    able.append(Contender(THINGSVISION, lambda number: _thingsvision(job, number, found), first))
    return able, []


def _featkit(job: Job, number: int, decoder: str = "cpu") -> Measurement:
    arguments = {**_arguments(job, number, ".h5"), "decoder": decoder}
    return run_script(Script("extract_featkit", arguments, environment=job.environment))


def _plain(job: Job, number: int) -> Measurement:
    return run_script(Script("extract_plain", _arguments(job, number, ".npy")))


def _thingsvision(job: Job, number: int, python: Path) -> Measurement:
    arguments = {
        **_arguments(job, number, ""),
        "model": job.network.timm,
        "layer": job.network.layer,
        "token": job.network.token,
    }
    return run_script(Script("extract_thingsvision", arguments, python=str(python)))


def _arguments(job: Job, number: int, ending: str) -> Mapping[str, object]:
    return {
        "images": str(job.images(number)),
        "weights": str(job.weights),
        "out": str(job.output(ending)),
        "device": job.settings.device,
    }
