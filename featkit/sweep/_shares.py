"""Share: all Runs of one store, and the arrays that they are made from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from featkit.features import FeatureStore
from featkit.fingerprints import stable_seed
from featkit.heads import make_head
from featkit.plans import Plan
from featkit.runs import RunKey, TestSet
from featkit.sweep._external import External, external_of
from featkit.sweep._tables import Table
from featkit.sweep._task import Arrays, Task
from featkit.sweep.design import Cell, SweepDesign

__all__ = ["Share", "share_of"]


@dataclass(frozen=True, eq=False)
class Share:
    """The work on the table's store `index`."""

    table: Table
    index: int
    plan: Plan
    design: SweepDesign
    external: External | None

    @property
    def name(self) -> str:
        """The backbone's short name."""
        return self.table.stores[self.index].backbone_name

    @property
    def test_identity(self) -> str:
        """Fingerprint of the external test set; "" for the Plan's own folds."""
        return "" if self.external is None else self.external.test.fingerprint

    def tasks(self) -> list[Task]:
        """Return every Run of the design on this store."""
        return [
            self._task(head, cell) for cell in self.design.cells() for head in self.design.heads
        ]

    def arrays(self) -> Arrays:
        """Read the features."""
        train = self.table.features(self.index)
        test = train if self.external is None else self.external.features()
        return Arrays(train, self.plan.label, self.plan.group, test)

    def _task(self, head: str, cell: Cell) -> Task:
        store, seed = self.table.stores[self.index], self.design.seed
        test_rows, test = self._tested(cell.fold)
        train_rows = self.plan.train_rows(cell.fold, cell.budget, cell.draw)
        key = RunKey(
            method=head,
            backbone=store.backbone_name,
            fold=cell.fold,
            budget=cell.budget,
            draw=cell.draw,
            config={**make_head(head, imbalance=self.design.imbalance).identity(), "seed": seed},
            source=store.fingerprint,
            plan=self.plan.fingerprint,
            test=self.test_identity,
        )
        return Task(
            key=key,
            classes=self.plan.classes,
            train_rows=train_rows,
            test_rows=test_rows,
            test=test,
            seed=stable_seed(seed, cell.fold, cell.budget, cell.draw),
            features_s=len(train_rows) * _seconds_per_image(store),
            split=self.plan.split,
        )

    def _tested(self, fold: int) -> tuple[NDArray[np.intp], TestSet]:
        if self.external is not None:
            return np.arange(len(self.external.rows)), self.external.test
        rows, plan = self.plan.test_rows(fold), self.plan
        name = "official test set" if plan.split == "official" else "held-out fold"
        test = TestSet(name, plan.image_id[rows], plan.group[rows], plan.label[rows])
        return rows, test


def _seconds_per_image(store: FeatureStore) -> float:
    """Return what extraction took; 0 where the file does not say."""
    cost = store.attributes.get("cost", {})
    return float(cost.get("wall_seconds", 0.0)) / len(store)


def share_of(
    table: Table, index: int, plan: Plan, design: SweepDesign, tests: Sequence[FeatureStore]
) -> Share:
    """Return the work on the table's store `index`, tested on its partner in `tests` if any.

    Raises:
        StoreError: The external test set does not fit.
    """
    external = external_of(table, index, tests) if tests else None
    return Share(table, index, plan, design, external)
