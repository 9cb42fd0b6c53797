"""Share: all Runs of one store, and the arrays that they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from featkit.experiment import Cell, Design, fold_test, has_seen
from featkit.features import FeatureStore
from featkit.heads import PLAIN, Views, make_head
from featkit.plans import Plan
from featkit.runs import RunKey, TestSet
from featkit.sweep._external import External
from featkit.sweep._origin import Origin
from featkit.sweep._tables import Table
from featkit.sweep._task import Arrays, Task

__all__ = ["Share"]


@dataclass(frozen=True, eq=False)
class Share:
    """The work on the table's store `index`.

    Attributes:
        table: The stores.
        index: Which of them.
        plan: Its rows are the table's.
        design: Its cells are trained.
        heads: Names of the heads.
        imbalance: What is done about rare classes.
        views: The views trained on and averaged over.
        external: An external test set; None for the Plan's own folds.
        origin: Where the features came from, if models are to be kept; else None.
    """

    table: Table
    index: int
    plan: Plan
    design: Design
    heads: Sequence[str]
    imbalance: str
    views: Views = PLAIN
    external: External | None = None
    origin: Origin | None = None

    @property
    def name(self) -> str:
        """The backbone's short name."""
        return self.table.stores[self.index].backbone_name

    @cached_property
    def experienced(self) -> bool:
        """Whether the backbone was fine-tuned on some of the images."""
        store = self.table.stores[self.index]
        return has_seen(store.image_hash[self.table.rows], store.trained_on)

    def tasks(self) -> list[Task]:
        """Return every Run of the design on this store."""
        return [self.task(head, cell) for cell in self.design.cells() for head in self.heads]

    def arrays(self) -> Arrays:
        """Read the features."""
        train = self.table.features(self.index, self.views.needed)
        test = train if self.external is None else self.external.features(self.views.test)
        return Arrays(
            train=train,
            image_id=self.plan.image_id,
            label=self.plan.label,
            group=self.plan.group,
            test=test,
            origin=self.origin,
        )

    def task(self, head: str, cell: Cell) -> Task:
        """Return the Run of a head at a cell."""
        store, seed = self.table.stores[self.index], self.design.seed
        test_rows, test = self._tested(cell.fold)
        train_rows = self.plan.train_rows(cell.fold, cell.budget, cell.draw)
        config = {**make_head(head, imbalance=self.imbalance).identity(), "seed": seed}
        key = RunKey(
            method=head + self.views.suffix,
            backbone=store.backbone_name,
            fold=cell.fold,
            budget=cell.budget,
            draw=cell.draw,
            config={**config, **self.views.identity()},
            source=store.fingerprint,
            plan=self.plan.fingerprint,
            test="" if self.external is None else test.fingerprint,
        )
        return Task(
            key=key,
            head=head,
            views=self.views,
            classes=self.plan.classes,
            train_rows=train_rows,
            test_rows=test_rows,
            test=test,
            seed=cell.seed(seed),
            inputs=_inputs(store),
            features_s=len(train_rows) * self.views.needed * _seconds_per_view(store),
            split=self.plan.split,
            experienced=self.experienced,
        )

    def _tested(self, fold: int) -> tuple[NDArray[np.intp], TestSet]:
        if self.external is not None:
            return np.arange(len(self.external.rows)), self.external.test
        return fold_test(self.plan, fold)


def _inputs(store: FeatureStore) -> dict[str, object]:
    """Return what a store says of the way from images to features."""
    backbone = store.attributes["backbone"]
    found = {name: backbone.get(name) for name in ("spec", "weights_sha256")}
    found["preprocessing"] = store.attributes.get("preprocessing")
    return {name: value for name, value in found.items() if value}


def _seconds_per_view(store: FeatureStore) -> float:
    """Return what extraction took for one view of an image; 0 where the file does not say."""
    cost = store.attributes.get("cost", {})
    return float(cost.get("worked_seconds", 0.0)) / (len(store) * store.shape[1])
