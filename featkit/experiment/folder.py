"""The output folder of an experiment: one Plan, one test set, any number of methods' Runs."""

from __future__ import annotations

import csv
import shlex
from collections.abc import Iterator, Sequence
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
    """`plan.json`, `images.csv`, `commands.txt`, `runs/` and `results.csv`.

    Args:
        folder: Need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = RunStore(folder)

    @contextmanager
    def opened(
        self,
        plan: Plan,
        design: Design,
        *,
        test: TestSet | None,
        images: ImageTable,
        command: Sequence[str],
    ) -> Iterator[RunStore]:
        """Hold the folder for writing Runs of one Plan; leave `results.csv` behind.

        Args:
            plan: What the Runs are of.
            design: Which cells will be trained.
            test: An external test set; None for the Plan's own folds.
            images: Every image that may be tested on, with its metadata.
            command: Words of the command that does the same; `--out` and the design are added.

        Raises:
            PlanError: The folder holds Runs of another Plan or test set.
            StoreError: The folder cannot be written, or another process is writing to it.
        """
        with output_lock(self.folder / "plan.json"):
            self._refuse_other(plan, test)
            self._save_plan(plan, design)
            _write_images(images, self.folder / "images.csv")
            self._note([*command, "--out", str(self.folder), *design.words()])
            try:
                yield self.runs
            finally:
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

    def _note(self, command: Sequence[str]) -> None:
        """Add a command to those that made the folder's Runs, unless it is among them."""
        path = self.folder / "commands.txt"
        known = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        line = shlex.join(["featkit", *command])
        if line not in known:
            with atomic_path(path) as temporary:
                temporary.write_text("\n".join([*known, line]) + "\n", encoding="utf-8")


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
