"""One `finetune`: the Plan, the Runs that are missing, and their training one after the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from featkit.backbones import Backbone
from featkit.data import Dataset
from featkit.errors import TrainingError, UsageError
from featkit.experiment import (
    Cell,
    Design,
    ExperimentFolder,
    ImageTable,
    external_test,
    fold_test,
    has_seen,
    plan_of,
    refuse_seen,
)
from featkit.finetuning._augmentation import Augmentation
from featkit.finetuning._export import exportable, is_saved
from featkit.finetuning._feed import Feed
from featkit.finetuning._images import Images
from featkit.finetuning._keeping import Keeper
from featkit.finetuning._meter import Meter
from featkit.finetuning._models import Material, keep_model, material_of
from featkit.finetuning._network import Classifier
from featkit.finetuning._pixels import Pixels
from featkit.finetuning._task import Task
from featkit.finetuning._team import Team, make_team
from featkit.finetuning._training import DivergedRunError
from featkit.finetuning.recipe import Recipe, changes
from featkit.fingerprints import fingerprint
from featkit.hardware.devices import available_cores, repeatable
from featkit.hardware.memory import freed_memory_kept
from featkit.models import is_model, models_folder
from featkit.plans import Plan
from featkit.progress import NoProgress, Progress
from featkit.runs import Run, RunKey, RunStore, TestSet

__all__ = ["Job"]


@dataclass(frozen=True, eq=False)
class Job:
    """A fine-tuning with all its settings (see `finetune`)."""

    dataset: Dataset
    backbone: Backbone
    out: Path
    recipes: Mapping[str, Recipe]
    design: Design
    test: Dataset | None
    device: str
    workers: int | None
    save_models: bool
    progress: Progress

    def run(self) -> tuple[Plan, int, int]:
        """Make the Runs that are missing; return the Plan, and how many were made and found."""
        if self.save_models:
            exportable(self.backbone)
        tasks = self._tasks
        self._refuse_seen()
        with self._writing() as runs:
            missing = [number for number, task in enumerate(tasks) if not self._found(task, runs)]
            todo = [tasks[number] for number in self._team.agree(missing)]
            if todo:
                with freed_memory_kept(), repeatable():
                    self._train(todo, runs)
            self._clear(tasks)
        return self._plan, len(todo), len(tasks) - len(todo)

    def _refuse_seen(self) -> None:
        external = self._external
        refuse_seen(
            self._plan,
            self.design,
            self._participants[1].image_hash,
            self.backbone.trained_on,
            backbone=self.backbone.name,
            external=None if external is None else self._test_images.table.select(external[0]),
        )

    @property
    def failures(self) -> dict[str, str]:
        """Why images cannot be read, by id; of the test set too."""
        both = {id(images): images for images in (self._train_images, self._test_images)}
        return {
            str(images.dataset.image_id[row]): reason
            for images in both.values()
            for row, reason in images.ledger.failures.items()
        }

    def _found(self, task: Task, runs: RunStore) -> bool:
        """Tell whether the Run is there, and its model where models are wanted."""
        there = runs.find(task.key) is not None
        if not there or not self.save_models:
            return there
        folder = models_folder(self.out, task.key)
        return is_model(folder) and is_saved(folder / "network")

    def _keeper(self, task: Task) -> Keeper:
        return task.keeper(self.out / "checkpoints", writes=self._team.leads)

    def _clear(self, tasks: Sequence[Task]) -> None:
        """Remove what finished Runs have no use for."""
        if self._team.leads:
            for task in tasks:
                self._keeper(task).forget()
            for images in (self._train_images, self._test_images):
                images.ledger.forget()

    @cached_property
    def _team(self) -> Team:
        # All strategies share the overrides, and no default names a precision.
        return make_team(self.device, next(iter(self.recipes.values())).precision)

    @cached_property
    def _train_images(self) -> Images:
        return self._images(self.dataset)

    @cached_property
    def _test_images(self) -> Images:
        return self._train_images if self.test is None else self._images(self.test)

    def _images(self, dataset: Dataset) -> Images:
        progress = self.progress if self._team.leads else NoProgress()
        folder = self.out / "pixels"
        workers = self.workers or available_cores()
        return Images(dataset, self.backbone, folder, workers, progress)

    @cached_property
    def _participants(self) -> tuple[NDArray[np.intp], ImageTable]:
        images = self._train_images
        with self._team.leader_first():
            readable = images.ledger.readable
        return images.table.participants(readable, exclude=self.design.exclude_classes)

    @cached_property
    def _plan(self) -> Plan:
        return plan_of(self._participants[1], self.design)

    @cached_property
    def _external(self) -> tuple[NDArray[np.intp], TestSet] | None:
        """Rows of the test pixels and the test set, or None for the Plan's own folds."""
        if self.test is None:
            return None
        images = self._test_images
        with self._team.leader_first():
            readable = images.ledger.readable
        return external_test(
            self._train_images.table,
            images.table,
            readable,
            classes=self._plan.classes,
            name=self.test.name,
        )

    @property
    def _tasks(self) -> list[Task]:
        """Every Run of the design."""
        return [
            self._task(strategy, cell) for cell in self.design.cells() for strategy in self.recipes
        ]

    def _task(self, strategy: str, cell: Cell) -> Task:
        plan, seed = self._plan, self.design.seed
        recipe = self.recipes[strategy].settled(pretrained=not self.backbone.random_weights)
        rows, _ = self._participants
        if self._external is None:
            tested, test = fold_test(plan, cell.fold)
            test_rows = rows[tested]
        else:
            test_rows, test = self._external
        key = RunKey(
            method=f"finetune-{strategy}",
            backbone=self.backbone.name,
            fold=cell.fold,
            budget=cell.budget,
            draw=cell.draw,
            config={
                **recipe.identity(),
                "computed_in": self._team.precision,
                "image_size": list(self.backbone.preprocessing.crop),
                "seed": seed,
            },
            source=fingerprint(self.backbone.fingerprint, self.dataset.fingerprint),
            plan=plan.fingerprint,
            test="" if self._external is None else test.fingerprint,
        )
        return Task(
            key=key,
            strategy=strategy,
            recipe=recipe,
            plan=plan,
            rows=rows,
            test=test,
            test_rows=test_rows,
            seed=cell.seed(seed),
            decoding_s=self._train_images.ledger.seconds,
            inputs=self._inputs,
            experienced=self._experienced,
        )

    @cached_property
    def _experienced(self) -> bool:
        return has_seen(self._participants[1].image_hash, self.backbone.trained_on)

    @property
    def _inputs(self) -> dict[str, object]:
        backbone = self.backbone
        # As JSON has it, so that it equals what a feature file says.
        preprocessing = json.loads(json.dumps(backbone.preprocessing.to_dict()))
        return {
            "spec": backbone.spec,
            "weights_sha256": backbone.weights_sha256,
            "preprocessing": preprocessing,
        }

    def _writing(self) -> AbstractContextManager[RunStore]:
        """Return the folder, held for writing by the leading process."""
        folder = ExperimentFolder(self.out)
        if not self._team.leads:
            return nullcontext(folder.runs)
        external = self._external
        tested = self._participants[1]
        if external is not None:
            tested = self._test_images.table.select(external[0])
        test = None if external is None else external[1]
        return folder.opened(
            self._plan, self.design, test=test, images=tested, command=self._words()
        )

    def _words(self) -> list[str]:
        """Return the command line of this job but for its design."""
        words = ["finetune", *(self.dataset.origin or ["DATA"]), "--backbone", self.backbone.spec]
        words += ["--image-size", str(self.backbone.preprocessing.crop[0])]
        words += ["--random-weights"] if self.backbone.random_weights else []
        words += [] if self.test is None else ["--test", *(self.test.origin[:1] or ["OTHER"])]
        for strategy in self.recipes:
            words += ["--strategy", strategy]
        changed = {
            text: None for name, recipe in self.recipes.items() for text in changes(name, recipe)
        }
        for text in changed:
            words += ["--recipe", text]
        return words

    def _train(self, tasks: list[Task], runs: RunStore) -> None:
        team = self._team
        for task in tasks:
            if task.course.order.batch_size < team.size:
                raise UsageError(
                    f"{team.size} processes for {task.name}",
                    cause=f"a step has {task.course.order.batch_size} images, fewer than processes",
                    remedy="Train small budgets with fewer processes",
                )
        # Images are decoded first, so that progress is of training from then on.
        for images in (self._train_images, self._test_images):
            self._pixels(images)
        meter = Meter(self.progress if team.leads else NoProgress())
        meter.start(sum(task.course.images(task.course.epochs) for task in tasks), runs=len(tasks))
        test_feed = self._feed(self._test_images, ())
        diverged: list[DivergedRunError] = []
        for task in tasks:
            meter.begin(task.name)
            feed = self._feed(self._train_images, task.recipe.augmentation)
            keeper = self._keeper(task)
            try:
                run, model = task.run(task.trainer(feed, keeper, seen=meter.seen), test_feed)
            except DivergedRunError as error:
                error.__context__ = None  # both would keep the network alive
                diverged.append(error.with_traceback(None))
                meter.diverged()
                continue
            material = material_of(task, model, feed, test_feed) if self.save_models else None
            if team.leads:
                self._keep(task, run, model, material, runs)
                keeper.forget()
            meter.end(run)
        meter.finish()
        if diverged:
            raise _together(diverged, len(tasks))

    def _keep(
        self,
        task: Task,
        run: Run,
        model: Classifier,
        material: Material | None,
        runs: RunStore,
    ) -> None:
        """Write what the Run leaves; the Run itself last, since it says that all is there."""
        if material is not None:
            ledger, rows = self._train_images.ledger, task.rows[task.seen]
            hashes = {*ledger.image_hash[rows].tolist(), *ledger.file_hash[rows].tolist()} - {""}
            keep_model(
                models_folder(self.out, run.key),
                task=task,
                run=run,
                model=model,
                backbone=self.backbone,
                material=material,
                table=self._participants[1],
                dataset=(self.dataset.name, self.dataset.fingerprint),
                trained_on=sorted({*hashes, *self.backbone.trained_on}),
            )
        runs.save(run)

    def _pixels(self, images: Images) -> Pixels:
        with self._team.leader_first():
            return images.pixels

    def _feed(self, images: Images, augmentation: Sequence[str]) -> Feed:
        pixels = self._pixels(images)
        varied = Augmentation(augmentation, self.backbone.preprocessing, self._team.device)
        return Feed(pixels, varied, self.backbone, self._team)


def _together(diverged: Sequence[DivergedRunError], runs: int) -> TrainingError:
    """Return one error for all Runs that diverged."""
    first = diverged[0]
    if len(diverged) == 1:
        return first
    return TrainingError(
        f"{len(diverged)} of {runs} Runs diverged, the first: {first.what}",
        cause=first.cause,
        remedy=f"{first.remedy}; the other Runs are kept",
    )
