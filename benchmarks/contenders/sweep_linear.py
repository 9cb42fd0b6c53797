"""featkit's whole linear sweep over label budgets and draws, through its public function.

Arguments: `store` (.h5), `drawn` (whether it is a plain HDF5 file of drawn features), `budgets`,
`draws`, `out` (folder).
"""

from __future__ import annotations

from pathlib import Path

import featkit
from benchmarks.contenders.stopwatch import Stopwatch, arguments
from benchmarks.material.features import open_store


def main() -> None:
    """Fit all Runs."""
    wanted = arguments()
    store = open_store(Path(wanted["store"]), drawn=wanted["drawn"])
    design = featkit.Design(budgets=tuple(wanted["budgets"]), draws=wanted["draws"])
    fit = featkit.fit

    watch = Stopwatch()
    sweep = fit([store], Path(wanted["out"]), heads=["linear"], design=design)
    watch.stop(sweep.trained)


if __name__ == "__main__":
    main()
