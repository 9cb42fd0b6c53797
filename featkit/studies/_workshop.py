"""Workshop: what the steps of one study share, read when it is first needed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from featkit.data import Dataset, limit_dataset, load_dataset
from featkit.errors import FeatkitError, UsageError
from featkit.experiment import Design, ImageTable, plan_of
from featkit.files import write_json
from featkit.fingerprints import fingerprint
from featkit.heads import HEADS, make_head
from featkit.progress import Progress
from featkit.studies._values import columns_of, design_of
from featkit.studies.schema import FinetuneSection, FitSection, Study

if TYPE_CHECKING:
    from featkit.backbones import Backbone

__all__ = ["Workshop"]


@dataclass(frozen=True, eq=False)
class Workshop:
    """A study, its folder, and what is dear to get.

    Folders and feature files carry a digest of all that their content depends on (data set,
    backbone, options, the methods' own defaults, design without budgets and draws): another value
    gets another place, what was made before stays where it was, and going back to the old value
    finds it again.

    Attributes:
        study: What is to be done.
        out: The study's folder.
        device: Where networks run.
        workers: Threads that decode; None = one for each core.
        jobs: Fits at a time; None = one for each core.
        progress: Who listens.
    """

    study: Study
    out: Path
    device: str
    workers: int | None
    jobs: int | None
    progress: Progress

    @cached_property
    def dataset(self) -> Dataset:
        """The images.

        Raises:
            UsageError: The study names none.
            DataError: They cannot be read.
        """
        data = self.study.data
        if data.spec is None:
            raise UsageError(
                f"study {self.study.name} names no data",
                cause=f"it is made for {data.expects}",
                remedy="Say where they are with --data",
            )
        dataset = load_dataset(data.spec, columns=columns_of(data), lesions=data.lesions)
        return dataset if data.limit is None else limit_dataset(dataset, data.limit)

    def design(self, arm: str) -> Design:
        """Return the design of an arm."""
        return design_of(self.study.design_of(arm))

    def check_designs(self) -> None:
        """Make every arm's Plan, as far as it can be known before an image is decoded.

        Raises:
            FeatkitError: The data cannot support an arm's design.
        """
        dataset = self.dataset
        table = ImageTable(
            name=dataset.name,
            image_id=dataset.image_id,
            label=dataset.label,
            group=dataset.group,
            image_hash=np.full(len(dataset), ""),
            classes=dataset.classes,
            official=dataset.split,
        )
        for arm in self.study.arms:
            design = self.design(arm)
            everything = np.ones(len(dataset), dtype=bool)
            try:
                _, images = table.participants(everything, exclude=design.exclude_classes)
                plan_of(images, design)
            except FeatkitError as error:
                what = f"arm {arm}: {error.what}"
                raise type(error)(what, cause=error.cause, remedy=error.remedy) from error

    def backbone(self, name: str) -> Backbone:
        """Return a new copy of a backbone, with the normalisation that the study asks for.

        Raises:
            BackboneError: Its weights cannot be had, or it does not allow the options.
        """
        from featkit.backbones import load_backbone, normalised_by, normalised_with

        section = self.study.backbones[name]
        backbone = load_backbone(
            section.spec,
            pooling=section.pooling,
            image_size=section.image_size,
            random_weights=section.random_weights,
        )
        if section.normalisation == "own":
            return backbone
        # Reading every image takes minutes, so that the six numbers are kept.
        kept = self._features / f"{name}-{self._digest_of(name)}.normalisation.json"
        if kept.exists():
            return normalised_with(backbone, **json.loads(kept.read_text(encoding="utf-8")))
        own = normalised_by(backbone, self.dataset, workers=self.workers, progress=self.progress)
        write_json(kept, {"mean": own.preprocessing.mean, "std": own.preprocessing.std})
        return own

    def store(self, name: str) -> Path:
        """Return the feature file of a backbone."""
        digest = self._digest_of(name, self._extraction)
        return self._features / f"{name}-{digest}.h5"

    def folder(
        self, arm: str, section_name: str, section: FitSection | FinetuneSection, backbone: str
    ) -> Path:
        """Return the folder of the Runs of a section on a backbone."""
        design = self.study.design_of(arm).stated()
        for name in ("budgets", "draws", "draws_large", "use_folds"):
            design.pop(name, None)  # they only choose among a Plan's training sets
        # Heads and strategies are told apart by the Runs' names.
        options = section.model_dump(exclude={"heads", "strategies", "backbones"})
        frozen = isinstance(section, FitSection)
        features = self._extraction if frozen else {}
        digest = self._digest_of(backbone, design, options, features, _recipes(section))
        return self.out / "runs" / arm / section_name / f"{backbone}-{digest}"

    @property
    def _extraction(self) -> dict[str, object]:
        """What features depend on besides data set and backbone."""
        return self.study.extract.model_dump(exclude={"batch_size"})

    @property
    def _features(self) -> Path:
        return self.out / "features"

    def _digest_of(self, backbone: str, *parts: object) -> str:
        section = self.study.backbones[backbone].model_dump()
        return fingerprint(self.dataset.fingerprint, section, *parts)[:8]


def _recipes(section: FitSection | FinetuneSection) -> dict[str, object]:
    """Return what each method's defaults come to, which another featkit may have changed."""
    if isinstance(section, FitSection):
        # All of featkit's own, so that a section may be given more of them and keep its Runs.
        names = dict.fromkeys([*HEADS.own, *section.heads])
        heads = {name: make_head(name, imbalance=section.imbalance) for name in names}
        return {name: head.identity() for name, head in heads.items()}
    from featkit.finetuning.recipe import STRATEGIES, recipe_for  # brings torch with it

    return {name: recipe_for(name, section.recipe).identity() for name in STRATEGIES}
