"""All analyses behind a report, from Runs alone and on the comparison's own resamples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from featkit.comparison.calibration import Calibration, calibrations
from featkit.comparison.comparing import compare
from featkit.comparison.comparison import Comparison
from featkit.comparison.confusion import ConfusionMatrix, confusion_matrices
from featkit.comparison.contrasts import FrozenAgainstFinetuned
from featkit.comparison.evidence import Evidence
from featkit.comparison.frozen_against_finetuned import frozen_against_finetuned
from featkit.comparison.gathering import Grid, gather
from featkit.comparison.headline import Headline, headline
from featkit.comparison.images import read_images
from featkit.comparison.laws import LearningLaw, LesionsNeeded, learning_laws, lesions_needed
from featkit.comparison.mistakes import Mistakes, find_mistakes
from featkit.comparison.pareto import Pareto, pareto
from featkit.comparison.recovery import Recovery, recoveries
from featkit.comparison.subgroups import Subgroup, find_subgroups
from featkit.evaluate import METRICS
from featkit.files import jsonable
from featkit.progress import NoProgress, Progress

__all__ = ["Analysis", "analyse"]

Result = TypeVar("Result")


@dataclass(frozen=True)
class Analysis:
    """What the Runs say, beyond the comparison's tables.

    Attributes:
        comparison: Scores with intervals, and differences from one reference row.
        headline: The answer in words.
        against: Frozen features against fine-tuning.
        recovered: Shares of fine-tuning's gain that other rows of the backbone recover.
        pareto: Score against device seconds.
        confusion: Of every row and budget.
        calibration: Of every row and budget, before and after temperature scaling.
        subgroups: Of the best frozen and the best fine-tuned row at the largest budget; none where
            no folder has metadata.
        mistakes: At the largest budget.
        laws: Learning curves of rows with four budgets or more.
        needed: By row, how many training lesions bring it to the target.
    """

    comparison: Comparison
    headline: Headline
    against: FrozenAgainstFinetuned
    recovered: tuple[Recovery, ...]
    pareto: Pareto
    confusion: tuple[ConfusionMatrix, ...]
    calibration: tuple[Calibration, ...]
    subgroups: tuple[Subgroup, ...]
    mistakes: Mistakes
    laws: tuple[LearningLaw, ...]
    needed: Mapping[str, LesionsNeeded]

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON-like values; None where a number is not defined."""
        return {name: jsonable(value) for name, value in asdict(self).items()}


def analyse(
    runs: Grid | Sequence[Path | str] | Path | str,
    comparison: Comparison | None = None,
    *,
    pair: tuple[str, str] | None = None,
    target: float | None = None,
    images: Mapping[str, Mapping[str, str]] | None = None,
    progress: Progress | None = None,
) -> Analysis:
    """Analyse Runs, frozen and fine-tuned alike.

    All intervals are of the comparison's resamples, and those of contrasts of the resamples of its
    differences, so numbers agree wherever they are given twice.

    Args:
        runs: Output folders of `fit` and `finetune`, or the Runs gathered from them.
        comparison: What `compare` found in these Runs; None = compare them now.
        pair: Methods of the declared pair, frozen and fine-tuned; None = `linear` and
            `finetune-full`, or the next of a fixed order where these were not trained.
        target: Score to count lesions for; None = the best row's at the largest budget.
        images: Metadata by image id; None = those of the folders, if folders are given.
        progress: Told of every finished analysis.

    Raises:
        StoreError: A folder holds no Runs, or a damaged file.
        PlanError: The Runs were made on different Plans or test sets.
        UsageError: An impossible target, or a pair that was not trained.
    """
    grid = runs if isinstance(runs, Grid) else gather(runs)
    if images is None:
        images = {} if isinstance(runs, Grid) else read_images(runs)
    listener = progress or NoProgress()
    found = comparison or compare(grid, progress=progress)
    evidence = Evidence(grid, found)

    def done(name: str, result: Result) -> Result:
        listener.advance(1, note=name)
        return result

    listener.start("analyse", total=7, unit="analyses")
    # First what may be refused, so that a typing error costs no time.
    goal = _target(found) if target is None else target
    needed = done("targets", {} if goal is None else lesions_needed(evidence, goal))
    against = done("contrasts", frozen_against_finetuned(evidence, pair=pair))
    largest, rows = found.budgets[-1], _best_of_each_side(found)
    groups = find_subgroups(evidence, images, methods=rows, budget=largest)
    analysis = Analysis(
        comparison=found,
        headline=headline(evidence, against),
        against=against,
        recovered=tuple(recoveries(evidence, against.declared)),
        pareto=done("Pareto fronts", pareto(evidence)),
        confusion=done("confusion", tuple(confusion_matrices(evidence))),
        calibration=done("calibration", tuple(calibrations(evidence))),
        subgroups=done("subgroups", tuple(groups)),
        mistakes=find_mistakes(evidence, largest),
        laws=done("learning curves", tuple(learning_laws(evidence))),
        needed=needed,
    )
    listener.finish()
    return analysis


def _target(comparison: Comparison) -> float | None:
    """Return the best score at the largest budget, None where no row can be brought to it."""
    best = comparison.best().scores[comparison.metric].value
    return best if METRICS[comparison.metric].higher_is_better and 0 < best < 1 else None


def _best_of_each_side(comparison: Comparison) -> list[str]:
    first: dict[bool, str] = {}
    for cell in comparison.ranked():
        first.setdefault(cell.frozen, cell.method)
    return [first[side] for side in sorted(first, reverse=True)]
