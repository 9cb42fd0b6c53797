"""The output folder of an experiment: one Plan, one test set, any number of methods' Runs."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from featkit.errors import PlanError
from featkit.experiment.design import Design
from featkit.experiment.results import write_results
from featkit.experiment.table import ImageTable
from featkit.files import atomic_path, output_lock
from featkit.plans import Plan, named_difference
from featkit.runs import RunStore, TestSet

__all__ = ["ExperimentFolder"]


class ExperimentFolder:
    """`plan.json`, `images.csv`, `runs/` and `results.csv`.

    Args:
        folder: Need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = RunStore(folder)

    @contextmanager
    def opened(
        self, plan: Plan, design: Design, *, test: TestSet | None, images: ImageTable
    ) -> Iterator[RunStore]:
        """Hold the folder for writing Runs of one Plan; leave `results.csv` behind.

        Args:
            plan: What the Runs are of.
            design: Which cells will be trained.
            test: An external test set; None for the Plan's own folds.
            images: Every image that may be tested on, with its metadata.

        Raises:
            PlanError: The folder holds Runs of another Plan or test set.
            StoreError: The folder cannot be written, or another process is writing to it.
        """
        with output_lock(self.folder / "plan.json"):
            self._refuse_other(plan, test)
            self._save_plan(plan, design)
            _write_images(images, self.folder / "images.csv")
            yield self.runs
            write_results(self.runs, self.folder / "results.csv")

    def _refuse_other(self, plan: Plan, test: TestSet | None) -> None:
        known = self.runs.any_run()
        if known is None:
            return
        path = self.folder / "plan.json"
        difference = named_difference(Plan.load(path), plan) if path.exists() else None
        if difference is None and known.key.plan != plan.fingerprint:
            difference = "its Runs were made on other folds or images"
        if difference is not None:
            raise PlanError(
                f"{self.folder} holds Runs of another Plan",
                cause=difference,
                remedy="Choose another --out, or repeat the options of the first command",
            )
        if known.key.test != ("" if test is None else test.fingerprint):
            raise PlanError(
                f"{self.folder} holds Runs that were tested on other images",
                cause=f"on {known.test.name}",
                remedy="Choose another --out for another --test",
            )

    def _save_plan(self, plan: Plan, design: Design) -> None:
        """Write the Plan with the training orders of these Runs and of those that are there."""
        folds, draws = self.runs.folds_and_draws()
        cells = list(design.cells())
        folds = max([folds, *(cell.fold + 1 for cell in cells)])
        draws = max([draws, *(cell.draw + 1 for cell in cells)])
        plan.save(self.folder / "plan.json", folds=folds, draws=draws)


def _write_images(table: ImageTable, path: Path) -> None:
    """Write id, lesion, label and metadata of every image that may be tested on."""
    names = [table.classes[label] if label >= 0 else "" for label in table.label.tolist()]
    columns = {"image_id": table.image_id.tolist(), "group": table.group.tolist(), "label": names}
    for name, values in table.metadata.items():
        columns.setdefault(name, values.tolist())
    with atomic_path(path) as temp, temp.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
