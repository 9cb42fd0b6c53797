"""Design: which budgets are drawn how often, on which splits, for any method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from featkit.errors import UsageError
from featkit.fingerprints import stable_seed
from featkit.plans import Split, check_budgets

__all__ = ["BUDGETS", "Cell", "Design"]

#: Percentages of the training lesions.
BUDGETS = (1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0)

#: Above this budget, `draws_large` holds: large draws overlap, so fewer of them tell as much.
LARGE_BUDGET = 25.0


@dataclass(frozen=True, order=True)
class Cell:
    """One training set: the first `budget` percent of the lesions in one draw of one fold."""

    fold: int
    budget: float
    draw: int

    def seed(self, seed: int) -> int:
        """Return the seed of whatever is trained in this cell: the same for every method."""
        return stable_seed(seed, self.fold, self.budget, self.draw)


@dataclass(frozen=True)
class Design:
    """On what methods are trained and tested, frozen and fine-tuned ones alike.

    Attributes:
        budgets: Label budgets in percent of the training lesions.
        draws: Draws of each budget up to 25%.
        draws_large: Draws of each budget above 25%; None = as many as `draws`.
        folds: Test folds that the lesions are dealt into.
        use_folds: How many of them are used as the test fold, one after the other.
        split: `grouped`, `random` (to measure leakage), `official`, or `single-image-test` (lesions
            of several images are only trained on).
        exclude_classes: Classes that take no part.
        duplicates: Pairs of image ids that show one lesion: their groups become one.
        seed: Decides folds, draws and the methods' random numbers.
    """

    budgets: tuple[float, ...] = BUDGETS
    draws: int = 5
    draws_large: int | None = None
    folds: int = 5
    use_folds: int = 1
    split: Split = "grouped"
    exclude_classes: tuple[str, ...] = ()
    duplicates: tuple[tuple[str, str], ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "budgets", check_budgets(self.budgets))
        _at_least_one("--draws", self.draws)
        _at_least_one("--draws-large", 1 if self.draws_large is None else self.draws_large)
        _at_least_one("--use-folds", self.use_folds)
        if self.split != "official" and self.use_folds > self.folds:
            raise UsageError(
                f"--use-folds {self.use_folds}",
                cause=f"there are {self.folds} folds",
                remedy=f"Give at most --use-folds {self.folds}, or more --folds",
            )

    def cells(self) -> Iterator[Cell]:
        """Yield every training set, small budgets first."""
        folds = 1 if self.split == "official" else self.use_folds
        large = self.draws if self.draws_large is None else self.draws_large
        for budget in self.budgets:
            for fold in range(folds):
                for draw in range(large if budget > LARGE_BUDGET else self.draws):
                    yield Cell(fold, budget, draw)

    def words(self) -> list[str]:
        """Return the command line's options for this design, defaults included.

        Of merged duplicates the options can only say that there are some (`DUPLICATES.csv`).
        """
        words = ["--budgets", ",".join(f"{budget:g}" for budget in self.budgets)]
        words += ["--draws", str(self.draws)]
        if self.draws_large is not None:
            words += ["--draws-large", str(self.draws_large)]
        words += ["--folds", str(self.folds), "--use-folds", str(self.use_folds)]
        words += ["--split", self.split]
        for name in self.exclude_classes:
            words += ["--exclude-class", name]
        if self.duplicates:
            words += ["--duplicates", "DUPLICATES.csv"]
        return [*words, "--seed", str(self.seed)]


def _at_least_one(option: str, value: int) -> None:
    if value < 1:
        raise UsageError(
            f"{option} {value}", cause="at least one is needed", remedy=f"Give {option} 1 or more"
        )
