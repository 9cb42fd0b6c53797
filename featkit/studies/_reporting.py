"""The last steps: each arm's comparison and report, and the page that holds the arms together."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from featkit.comparison import analyse, compare, gather
from featkit.errors import StoreError
from featkit.experiment import write_results
from featkit.files import write_json
from featkit.fingerprints import fingerprint
from featkit.runs import RunStore
from featkit.studies._published import Found, look_up, rows_of_steps
from featkit.studies._steps import ExtractStep, Step, TrainStep
from featkit.studies._summary import ArmSummary, write_summary
from featkit.studies._workshop import Workshop

__all__ = ["ArmReportStep", "SummaryStep", "reporting_steps"]

_VERSION = 4
"""Raised whenever the same Runs give other pages, so that old ones are made again."""


@dataclass(frozen=True, eq=False)
class ArmReportStep(Step):
    """Comparison, plots, analysis, results and report of one arm: `OUT/ARM/`.

    Attributes:
        arm: Name of the arm.
        steps: What trains its methods.
        stores: Feature files of its heads.
    """

    workshop: Workshop
    arm: str
    steps: Sequence[TrainStep]
    stores: Sequence[Path]
    unit = "report"
    total = 1

    @property
    def name(self) -> str:
        """`report ARM`."""
        return f"report {self.arm}"

    @property
    def folder(self) -> Path:
        """Where everything is written."""
        return self.workshop.out / self.arm

    @property
    def digest(self) -> str:
        """Identity of all that is shown: Runs, options and published numbers."""
        study = self.workshop.study
        runs = [
            f"{step.folder.name}/{path.name}"
            for step in self.steps
            for path in sorted((step.folder / "runs").glob("*.npz"))
        ]
        published = [row.model_dump() for row in study.published]
        return fingerprint(_VERSION, runs, study.report.model_dump(), published)

    def done(self) -> int:
        """Return 1 where the report is of the Runs that are there."""
        return int(
            all(step.done() == step.total for step in self.steps)
            and _content(self._mark).get("digest") == self.digest
        )

    def run(self) -> None:
        """Compare the arm's Runs and write what was found."""
        from featkit.report import write_comparison, write_page

        options = self.workshop.study.report
        folders = [step.folder for step in self.steps]
        grid = gather(folders)
        found = compare(
            grid,
            metric=options.metric,
            focus=options.focus,
            resamples=options.resamples,
            seed=options.seed,
            progress=self.workshop.progress,
        )
        analysis = analyse(
            folders,
            found,
            pair=self._pair,
            target=options.target,
            progress=self.workshop.progress,
        )
        write_comparison(found, self.folder / "comparison", against=analysis.against)
        write_json(self.folder / "analysis.json", analysis.to_dict())
        runs = chain.from_iterable(RunStore(folder) for folder in folders)
        write_results(runs, self.folder / "results.csv")
        write_page(
            folders,
            self.folder / "report.html",
            analysis=analysis,
            features=self.stores,
            feature_map=options.feature_map,
            progress=self.workshop.progress,
        )
        rows = rows_of_steps(grid, self.steps)
        best = found.best()
        study = self.workshop.study
        values = [look_up(row, found, rows) for row in study.published]
        write_json(
            self._mark,
            {
                "digest": self.digest,
                "split": found.split,
                "test_images": found.test_images,
                "test_lesions": found.test_lesions,
                "metric": found.metric,
                "best_method": best.method,
                "best_budget": best.budget,
                "best_score": str(best.scores[found.metric]),
                "published": [value and value.to_dict() for value in values],
            },
        )

    @property
    def _pair(self) -> tuple[str, str] | None:
        """The declared pair, where the arm trains both of it."""
        pair = self.workshop.study.report.pair
        methods = {method for step in self.steps for method in step.methods}
        return pair if pair is not None and methods.issuperset(pair) else None

    def summary(self) -> ArmSummary:
        """Return what the study's page says of the arm.

        Raises:
            StoreError: The arm's report was not made, or is damaged.
        """
        content = _content(self._mark)
        if not content:
            raise StoreError(
                f"cannot read {self._mark}",
                cause="it is missing or damaged",
                remedy="Run the same command again",
            )
        return ArmSummary(
            name=self.arm,
            note=self.workshop.study.arms[self.arm].note.strip(),
            report=f"{self.arm}/report.html",
            split=content["split"],
            test_images=content["test_images"],
            test_lesions=content["test_lesions"],
            metric=content["metric"],
            best_method=content["best_method"],
            best_budget=content["best_budget"],
            best_score=content["best_score"],
            published=tuple(row and Found.from_dict(row) for row in content["published"]),
        )

    @property
    def _mark(self) -> Path:
        return self.folder / "summary.json"


@dataclass(frozen=True, eq=False)
class SummaryStep(Step):
    """The study's own page: published numbers beside those of every arm."""

    workshop: Workshop
    arms: Sequence[ArmReportStep]
    unit = "page"
    total = 1
    name = "summary"

    def done(self) -> int:
        """Return 1 where the page is of the reports that are there."""
        known = _content(self._path).get("digest")
        return int(all(arm.done() for arm in self.arms) and known == self._digest)

    def run(self) -> None:
        """Write `study.html`, `study.md` and `summary.json`."""
        arms = [arm.summary() for arm in self.arms]
        rows = write_summary(self.workshop.study, arms, self.workshop.out)
        write_json(self._path, {"digest": self._digest, "rows": rows})

    def rows(self) -> list[dict[str, str]]:
        """Return the table that the page shows."""
        rows: list[dict[str, str]] = _content(self._path).get("rows", [])
        return rows

    @property
    def _digest(self) -> str:
        study = self.workshop.study
        notes = [(name, arm.note) for name, arm in study.arms.items()]
        published = [row.model_dump() for row in study.published]
        return fingerprint(
            _VERSION, study.name, study.note, notes, published, [arm.digest for arm in self.arms]
        )

    @property
    def _path(self) -> Path:
        return self.workshop.out / "summary.json"


def reporting_steps(workshop: Workshop, steps: Iterable[Step]) -> tuple[list[Step], SummaryStep]:
    """Return the reports of the arms whose training steps are given, and the summary."""
    known = list(steps)
    files = [step.backbone for step in known if isinstance(step, ExtractStep)]
    training = [step for step in known if isinstance(step, TrainStep)]
    arms = []
    for name, arm in workshop.study.arms.items():
        used = {b for section in arm.fit.values() for b in workshop.study.backbones_of(section)}
        stores = [workshop.store(backbone) for backbone in files if backbone in used]
        arms.append(
            ArmReportStep(workshop, name, [step for step in training if step.arm == name], stores)
        )
    return [*arms], SummaryStep(workshop, arms)


def _content(path: Path) -> dict[str, Any]:
    """Return a JSON file's content, nothing where it is missing or damaged."""
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
