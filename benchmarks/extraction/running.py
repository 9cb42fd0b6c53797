"""The benchmark of extraction: trials, limits, rounds, cold starts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from benchmarks.extraction.cold import cold_rounds, cold_table
from benchmarks.extraction.job import Job
from benchmarks.extraction.limits import Limits, explore, limit_contenders
from benchmarks.extraction.rivals import contenders
from benchmarks.extraction.tables import Case, limits_table, rates_table, summary
from benchmarks.harness import (
    Absent,
    Contender,
    Measurement,
    Report,
    Settings,
    alternate,
    calibrated,
    workshop,
)
from benchmarks.material import NETWORKS
from featkit import FeatkitError

__all__ = ["run"]


@dataclass(frozen=True)
class _Effort:
    """How long things take.

    Attributes:
        seconds: A contender in a round.
        first: Images of the first trial.
        explored: Seconds for each way that is tried for the limits.
        cold: Numbers of images of the cold starts.
    """

    seconds: float
    first: int
    explored: float
    cold: tuple[int, ...]


_FULL = _Effort(seconds=25, first=192, explored=6, cold=(96, 1_000))
_QUICK = _Effort(seconds=1, first=32, explored=0.5, cold=(16,))


def run(settings: Settings) -> Report:
    """Measure extraction with each network of the settings."""
    effort = _QUICK if settings.quick else _FULL
    if settings.seconds is not None:
        effort = replace(effort, seconds=settings.seconds)
    report = Report("extraction", {**settings.told(), "seconds a measurement": effort.seconds})
    cases, cold = [], {}
    with workshop() as work:
        for name in settings.networks:
            settings.watcher.section(name)
            job = Job(name, NETWORKS[name], work, settings)
            limits = explore(job, effort.explored)
            case, trials = _measured(job, limits, effort)
            report.keep(name, case.rounds, trials)
            cases.append(case)
            cold[name] = cold_rounds(job, effort.cold, settings.rounds)
            for number, rounds in cold[name].items():
                report.keep(f"{name}, {number} images from the start", rounds)
    report.tables += [rates_table(cases, settings.device), limits_table(cases), cold_table(cold)]
    report.summary.update(summary(cases, settings.device))
    return report


def _measured(
    job: Job, limits: Limits, effort: _Effort
) -> tuple[Case, dict[str, list[Measurement]]]:
    """Return all rounds of one network, and the trials before them."""
    able, absent = contenders(job, effort.first)
    trials: dict[str, list[Measurement]] = {}
    ready: list[Contender] = []
    for contender in able:
        try:
            scaled, trials[contender.name] = calibrated(
                contender, effort.seconds, job.settings.watcher, step=effort.first
            )
        except FeatkitError as error:
            absent.append(Absent(contender.name, str(error)))
        else:
            ready.append(scaled)
    bounds = limit_contenders(job, limits, effort.explored)
    everyone = [*ready, *bounds]
    rounds = alternate(everyone, job.settings.rounds, job.settings.watcher)
    return Case(job.name, job.trained, rounds, absent, limits), trials
