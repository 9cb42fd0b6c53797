"""Print one CSV table of all Runs of a study: `gather_results.py FOLDER`."""

from __future__ import annotations

import csv
import sys
from pathlib import Path


def main() -> None:
    rows = []
    for path in sorted(Path(sys.argv[1], "runs").rglob("results.csv")):
        with path.open(newline="", encoding="utf-8") as handle:
            rows += list(csv.DictReader(handle))
    writer = csv.DictWriter(sys.stdout, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)


if __name__ == "__main__":
    main()
