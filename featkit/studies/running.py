"""run_study: everything from extraction to report, and what is left of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from featkit.files import output_lock
from featkit.plans import leaks
from featkit.progress import NoProgress, Progress
from featkit.studies._changes import changes_since, remember
from featkit.studies._reporting import SummaryStep, reporting_steps
from featkit.studies._steps import ExtractStep, FinetuneStep, Step, TrainStep, training_steps
from featkit.studies._workshop import Workshop
from featkit.studies.reading import load_study
from featkit.studies.schema import Study

__all__ = ["Outcome", "StepState", "StudyState", "run_study", "study_state"]


@dataclass(frozen=True)
class StepState:
    """How much of a step is done.

    Attributes:
        name: What it does.
        done: Units that are done.
        total: Units that it consists of.
        unit: What is counted.
        begun: Whether an unfinished unit is there to be continued.
        seconds: What the rest will take, about; None = next to nothing, or not estimated.
        basis: From what that was estimated.
    """

    name: str
    done: int
    total: int
    unit: str
    begun: bool = False
    seconds: float | None = None
    basis: str = ""

    @property
    def state(self) -> str:
        """`done`, `pending`, or `partly (n of m UNIT)`."""
        if self.done == self.total:
            return "done"
        if self.begun:
            return f"begun ({self.unit})"
        return f"partly ({self.done} of {self.total} {self.unit})" if self.done else "pending"


@dataclass(frozen=True)
class StudyState:
    """What a study consists of and how much of it is done.

    Attributes:
        study: The study.
        folder: Where it is kept.
        steps: In the order in which they are done.
        changes: What differs from the study that the folder was last worked on with.
        random: Arms whose split leaks.
    """

    study: Study
    folder: Path
    steps: tuple[StepState, ...]
    changes: tuple[str, ...]
    random: tuple[str, ...]

    @property
    def runs_missing(self) -> int:
        """Runs to be made."""
        return sum(step.total - step.done for step in self.steps if step.unit == TrainStep.unit)

    @property
    def runs_kept(self) -> int:
        """Runs that are there."""
        return sum(step.done for step in self.steps if step.unit == TrainStep.unit)

    @property
    def seconds(self) -> float:
        """What the rest will take, about, reports not counted."""
        return sum(step.seconds or 0.0 for step in self.steps)


@dataclass(frozen=True)
class Outcome:
    """What a study left behind.

    Attributes:
        study: The study.
        folder: Holds `study.html`, and a folder with comparison and report for each arm.
        rows: Published numbers beside those of every arm, as the page shows them.
        trained: Number of Runs made now.
        reused: Number of Runs that were there already.
        random: Arms whose split leaks.
        ungrouped: Whether every image is a group of its own, so that no split can be by lesion.
    """

    study: Study
    folder: Path
    rows: tuple[dict[str, str], ...]
    trained: int
    reused: int
    random: tuple[str, ...]
    ungrouped: bool


def study_state(
    study: Study | str | Path, out: Path | str, *, device: str = "auto", estimate: bool = True
) -> StudyState:
    """Return what running a study would do: what is done, what is pending, how long it takes.

    Nothing is written and nothing is downloaded.

    Args:
        study: As `load_study` returns it, or takes it.
        out: The study's folder.
        device: Where networks would run.
        estimate: Whether to estimate times; where there are no Runs yet, this takes a trial of
            every network.

    Raises:
        FeatkitError: The study, its data or a backbone cannot be had.
    """
    workshop = _workshop(study, out, device=device)
    workshop.check_designs()
    steps = training_steps(workshop)
    reports, summary = reporting_steps(workshop, steps)
    return _state(workshop, [*steps, *reports, summary], estimate=estimate)


def run_study(
    study: Study | str | Path,
    out: Path | str,
    *,
    device: str = "auto",
    workers: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
    tell: Callable[[str], None] | None = None,
) -> Outcome:
    """Run a study: extract, fit, fine-tune, compare, report; only what is not done yet.

    Args:
        study: As `load_study` returns it, or takes it: a TOML file or a bundled name.
        out: The study's folder. A study that was changed finds there what it still needs.
        device: Where networks run.
        workers: Threads that decode; None = one for each core.
        jobs: Fits of heads at a time; None = one for each core.
        progress: Told of every image and Run.
        tell: Told in a line each of changes and steps.

    Raises:
        UsageError: The study cannot be meant, or names no data.
        FeatkitError: A step cannot be done; what is done is kept.
    """
    workshop = _workshop(
        study, out, device=device, workers=workers, jobs=jobs, progress=progress or NoProgress()
    )
    say = tell or (lambda line: None)
    steps = training_steps(workshop)
    reports, summary = reporting_steps(workshop, steps)
    everything = [*steps, *reports, summary]
    with output_lock(workshop.out / "study.json"):
        before = _state(workshop, everything, estimate=False)
        for change in before.changes:
            say(f"changed: {change}")
        if before.changes:
            say(f"{before.runs_missing} Runs to be made, {before.runs_kept} kept")
        workshop.check_designs()
        _check(everything)
        remember(workshop.study, workshop.out / "study.json")
        _do(everything, say)
    return _outcome(workshop, before, summary)


def _workshop(
    study: Study | str | Path,
    out: Path | str,
    *,
    device: str,
    workers: int | None = None,
    jobs: int | None = None,
    progress: Progress | None = None,
) -> Workshop:
    return Workshop(
        study=study if isinstance(study, Study) else load_study(study),
        out=Path(out),
        device=device,
        workers=workers,
        jobs=jobs,
        progress=progress or NoProgress(),
    )


def _check(steps: Sequence[Step]) -> None:
    for step in steps:
        if isinstance(step, FinetuneStep) and step.done() < step.total:
            step.check()


def _do(steps: Sequence[Step], say: Callable[[str], None]) -> None:
    for number, step in enumerate(steps, start=1):
        done, total = step.done(), step.total
        if done == total:
            continue
        count = f" ({done} of {total} {step.unit} are there)" if done else ""
        say(f"[{number}/{len(steps)}] {step.name}{count}")
        step.run()


def _state(workshop: Workshop, steps: Sequence[Step], *, estimate: bool) -> StudyState:
    if estimate:
        from featkit.studies._estimate import Estimator

        estimator = Estimator(workshop, steps)
        estimates = [estimator.of(step) for step in steps]
    else:
        estimates = [None] * len(steps)
    return StudyState(
        study=workshop.study,
        folder=workshop.out,
        steps=tuple(
            StepState(
                name=step.name,
                done=step.done(),
                total=step.total,
                unit=step.unit,
                begun=isinstance(step, ExtractStep) and step.begun(),
                seconds=about.seconds if about else None,
                basis=about.basis if about else "",
            )
            for step, about in zip(steps, estimates, strict=True)
        ),
        changes=tuple(changes_since(workshop.out / "study.json", workshop.study)),
        random=_random_arms(workshop),
    )


def _outcome(workshop: Workshop, before: StudyState, summary: SummaryStep) -> Outcome:
    dataset = workshop.dataset
    return Outcome(
        study=workshop.study,
        folder=workshop.out,
        rows=tuple(summary.rows()),
        trained=before.runs_missing,
        reused=before.runs_kept,
        random=before.random,
        ungrouped=bool((dataset.group == dataset.image_id).all()),
    )


def _random_arms(workshop: Workshop) -> tuple[str, ...]:
    return tuple(arm for arm in workshop.study.arms if leaks(workshop.design(arm).split))
