"""finetune: strategies × budgets × draws × folds, end to end, leaving Runs like those of `fit`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from featkit.errors import UsageError
from featkit.experiment import Design
from featkit.finetuning.recipe import STRATEGIES, Recipe, recipe_for
from featkit.plans import Plan
from featkit.progress import NoProgress, Progress

if TYPE_CHECKING:
    from featkit.backbones import Backbone
    from featkit.data import Dataset

__all__ = ["FineTuning", "finetune"]


@dataclass(frozen=True)
class FineTuning:
    """What `finetune` leaves behind.

    Attributes:
        folder: Holds `runs/`, `plan.json`, `images.csv`, `results.csv` and, on request, `models/`.
        plan: The design's folds and draws.
        trained: Number of Runs made now.
        reused: Number of Runs that were there already.
        failures: Why images cannot be read, by id; they take no part.
    """

    folder: Path
    plan: Plan
    trained: int
    reused: int
    failures: Mapping[str, str]


def finetune(
    dataset: Dataset,
    backbone: Backbone,
    out: Path | str,
    *,
    strategies: Sequence[str] = ("full",),
    recipe: Mapping[str, object] | None = None,
    design: Design | None = None,
    test: Dataset | None = None,
    device: str = "auto",
    workers: int | None = None,
    save_models: bool = False,
    progress: Progress | None = None,
) -> FineTuning:
    """Fine-tune a backbone by each strategy at every budget, and write one Run for each.

    The Plan is the one that `fit` makes for the same images and design, so that the Runs may
    stand in one folder. Finished Runs are kept and a Run that was interrupted continues after
    its last checkpoint, to the same result. Started by `accelerate launch`, several processes
    train together, each with a share of every batch.

    Args:
        dataset: The images.
        backbone: Where every Run starts from.
        out: Output folder, of `fit` or new.
        strategies: What is trained (see `recipe.STRATEGIES`).
        recipe: Fields of `Recipe` that replace the strategies' defaults.
        design: On what to train and test; the default design where None.
        test: Another data set: train as before and test on these images (external validation).
        device: `auto` (the fastest there is), `cpu`, `cuda`, `cuda:N` or `mps`.
        workers: Threads that decode images; None = one a core.
        save_models: Keep every Run's network under `models/`, for `timm` and `local-dir:`. A Run
            that was made without is made again.
        progress: Told of images seen.

    Raises:
        UsageError: An impossible option.
        DataError: No image takes part, or the external test set does not fit.
        PlanError: The data cannot support the design; `out` holds Runs of another Plan or test set.
        TrainingError: A checkpoint does not fit; or, after all other Runs were made, some diverged.
        StoreError: `out` cannot be written, or another process is writing to it.
        BackboneError: The network cannot be saved in timm's format, and that was asked for.
    """
    design = design or Design()
    strategies = [strategies] if isinstance(strategies, str) else strategies
    _check(strategies, workers, backbone.preprocessing.decoder)
    recipes: dict[str, Recipe] = {name: recipe_for(name, recipe) for name in strategies}
    # torch and its like are imported here, so that options are checked without them.
    from featkit.finetuning._job import Job

    job = Job(
        dataset=dataset,
        backbone=backbone,
        out=Path(out),
        recipes=recipes,
        design=design,
        test=test,
        device=device,
        workers=workers,
        save_models=save_models,
        progress=progress or NoProgress(),
    )
    plan, trained, reused = job.run()
    return FineTuning(Path(out), plan, trained, reused, job.failures)


def _check(strategies: Sequence[str], workers: int | None, decoder: str) -> None:
    if not strategies:
        raise UsageError(
            "no strategy was given",
            cause="the list is empty",
            remedy=f"Give one or more of {', '.join(STRATEGIES)}",
        )
    if workers is not None and workers < 1:
        raise UsageError(
            f"--workers {workers}",
            cause="somebody must decode the images",
            remedy="Give 1 or more, or leave it out",
        )
    if decoder != "cpu":
        raise UsageError(
            f"a backbone whose images the {decoder} decodes",
            cause="fine-tuning decodes them on the processor, once for all Runs",
            remedy="Load it without `decoder`",
        )
