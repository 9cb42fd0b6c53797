"""Steps: what a study consists of, each of which knows how much of it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from featkit.errors import FeatkitError
from featkit.experiment import Cell
from featkit.features import FeatureStore, extract
from featkit.heads import Views
from featkit.studies._workshop import Workshop
from featkit.studies.schema import FinetuneSection, FitSection

__all__ = ["ExtractStep", "FinetuneStep", "FitStep", "Step", "TrainStep", "training_steps"]


class Step(ABC):
    """A part of a study that can be interrupted and continued."""

    @property
    @abstractmethod
    def name(self) -> str:
        """What is done, for people."""

    @property
    @abstractmethod
    def total(self) -> int:
        """How many units it consists of."""

    @property
    @abstractmethod
    def unit(self) -> str:
        """What is counted."""

    @abstractmethod
    def done(self) -> int:
        """Return how many units are done."""

    @abstractmethod
    def run(self) -> None:
        """Do what is not done.

        Raises:
            FeatkitError: It cannot be done; what is done is kept.
        """


@dataclass(frozen=True, eq=False)
class ExtractStep(Step):
    """The features of all images by one backbone."""

    workshop: Workshop
    backbone: str
    unit = "file"
    total = 1

    @property
    def name(self) -> str:
        """`extract BACKBONE`."""
        return f"extract {self.backbone}"

    def done(self) -> int:
        """Return 1 where the feature file is whole."""
        return int(self.workshop.store(self.backbone).exists())

    def begun(self) -> bool:
        """Tell whether parts of the file are there."""
        path = self.workshop.store(self.backbone)
        return path.with_name(f"{path.name}.parts").exists()

    def run(self) -> None:
        """Extract."""
        options = self.workshop.study.extract
        extract(
            self.workshop.dataset,
            self.workshop.backbone(self.backbone),
            self.workshop.store(self.backbone),
            batch_size=options.batch_size,
            device=self.workshop.device,
            precision=options.precision,
            views=options.views,
            workers=self.workshop.workers,
            progress=self.workshop.progress,
        )


@dataclass(frozen=True, eq=False)
class TrainStep(Step):
    """The Runs of one section on one backbone in one arm.

    Attributes:
        arm: Name of the arm.
        section_name: Name of the section.
        backbone: Name of the backbone.
    """

    workshop: Workshop
    arm: str
    section_name: str
    backbone: str
    unit = "Runs"

    @property
    @abstractmethod
    def methods(self) -> Sequence[str]:
        """Names of the methods, as Runs carry them."""

    @property
    @abstractmethod
    def folder(self) -> Path:
        """Where the Runs are."""

    @property
    def total(self) -> int:
        """Number of Runs."""
        return len(self.methods) * len(self.cells)

    @property
    def cells(self) -> list[Cell]:
        """The training sets."""
        return list(self.workshop.design(self.arm).cells())

    def done(self) -> int:
        """Return how many Runs of the design are there."""
        return self.total - len(self.missing())

    def missing(self) -> list[tuple[str, Cell]]:
        """Return method and training set of every Run that is not there.

        The folder's name says with which options they were made, so the files' names tell enough.
        """
        files = (self.folder / "runs").glob("*.npz")
        there = {path.name.rpartition("-")[0] for path in files}
        return [
            (method, cell)
            for cell in self.cells
            for method in self.methods
            if f"{method}-f{cell.fold}-b{cell.budget:g}-d{cell.draw}" not in there
        ]


@dataclass(frozen=True, eq=False)
class FitStep(TrainStep):
    """Heads on a backbone's features."""

    section: FitSection

    @property
    def name(self) -> str:
        """`fit ARM/SECTION BACKBONE`."""
        return f"fit {self.arm}/{self.section_name} {self.backbone}"

    @property
    def methods(self) -> tuple[str, ...]:
        """The heads, with the views that they are trained and tested on."""
        wanted, several = self.section.views, self.workshop.study.extract.views
        train = {"plain": 1, "all": several}[wanted] if isinstance(wanted, str) else wanted
        test = (train if train > 1 else several) if self.section.tta else 1
        suffix = Views(train=train, test=test).suffix
        return tuple(dict.fromkeys(head + suffix for head in self.section.heads))

    @property
    def folder(self) -> Path:
        """Where the Runs are."""
        return self.workshop.folder(self.arm, self.section_name, self.section, self.backbone)

    def run(self) -> None:
        """Train the heads."""
        from featkit.sweep import fit

        fit(
            [FeatureStore.open(self.workshop.store(self.backbone))],
            self.folder,
            heads=self.section.heads,
            imbalance=self.section.imbalance,
            views=self.section.views,
            tta=self.section.tta,
            design=self.workshop.design(self.arm),
            jobs=self.workshop.jobs,
            progress=self.workshop.progress,
        )


@dataclass(frozen=True, eq=False)
class FinetuneStep(TrainStep):
    """A backbone, fine-tuned."""

    section: FinetuneSection

    @property
    def name(self) -> str:
        """`finetune ARM/SECTION BACKBONE`."""
        return f"finetune {self.arm}/{self.section_name} {self.backbone}"

    @property
    def methods(self) -> tuple[str, ...]:
        """The strategies."""
        return tuple(dict.fromkeys(f"finetune-{name}" for name in self.section.strategies))

    @property
    def folder(self) -> Path:
        """Where the Runs are."""
        return self.workshop.folder(self.arm, self.section_name, self.section, self.backbone)

    def check(self) -> None:
        """Refuse now what would fail after hours.

        Raises:
            FeatkitError: A package for fine-tuning is not installed.
        """
        if find_spec("accelerate") is None:
            raise FeatkitError(
                f"cannot {self.name}",
                cause="the package accelerate is not installed",
                remedy="Install it (pip install accelerate), or leave fine-tuning out of the study",
            )

    def run(self) -> None:
        """Fine-tune."""
        from featkit.finetuning import finetune

        finetune(
            self.workshop.dataset,
            self.workshop.backbone(self.backbone),
            self.folder,
            strategies=self.section.strategies,
            recipe=self.section.recipe,
            design=self.workshop.design(self.arm),
            device=self.workshop.device,
            workers=self.workshop.workers,
            progress=self.workshop.progress,
        )


def training_steps(workshop: Workshop) -> list[Step]:
    """Return everything up to the last Run: features first, then heads, then fine-tuning."""
    study = workshop.study
    fits = [
        FitStep(workshop, arm_name, name, backbone, section)
        for arm_name, arm in study.arms.items()
        for name, section in arm.fit.items()
        for backbone in study.backbones_of(section)
    ]
    finetunes = [
        FinetuneStep(workshop, arm_name, name, backbone, section)
        for arm_name, arm in study.arms.items()
        for name, section in arm.finetune.items()
        for backbone in study.backbones_of(section)
    ]
    used = dict.fromkeys(step.backbone for step in fits)
    return [*(ExtractStep(workshop, backbone) for backbone in used), *fits, *finetunes]
