"""Print the Run of the best row of a study: `python scripts/winner.py FOLDER` of `featkit fit`."""

from __future__ import annotations

import sys
from pathlib import Path

import featkit


def main() -> None:
    folder = Path(sys.argv[1])
    best = featkit.compare([folder]).best()
    store = featkit.RunStore(folder)
    first = min(
        (run for run in store if (run.name, run.key.budget) == (best.method, best.budget)),
        key=lambda run: (run.key.fold, run.key.draw),
    )
    print(store.path(first.key))


if __name__ == "__main__":
    main()
