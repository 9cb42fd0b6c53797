"""Copy what the benchmarks of models found into docs/models.md, so that no number is typed.

With `--check`, write nothing and fail where the page and the files differ.
"""

from __future__ import annotations

import sys

from blocks import keep, table
from speed import ROOT, summary_of

PAGE = ROOT / "docs" / "models.md"
WAYS = {"none": "none", "temperature": "a temperature", "calibrator": "temperature and biases"}
ENDS = (1, 100)


def calibration() -> str:
    """Honesty of probabilities by the way of calibration, at the smallest and largest budget."""
    found = summary_of("calibration")
    if found is None:
        sys.exit("calibration has not run: python -m benchmarks calibration")
    rows = [
        [
            "head",
            "labels",
            "calibration",
            "log-loss",
            "error of the top probability",
            "error of the worst class",
        ]
    ]
    for budget in ENDS:
        for head in sorted({name.split()[0] for name in found}):
            for way, words in WAYS.items():
                scores = found[f"{head} {budget}"][way]
                names = ("log_loss", "top_error", "worst_class_error")
                rows.append([head, f"{budget}%", words, *(f"{scores[name]:.3f}" for name in names)])
    return table(rows, numbers=[1, 3, 4, 5])


def strange() -> str:
    """What each distance flags."""
    found = summary_of("strange")
    if found is None:
        sys.exit("strange has not run: python -m benchmarks strange")
    names = list(found)
    kinds = list(found[names[0]])
    rows = [["flagged of", *names]]
    rows += [[kind, *(f"{found[name][kind]:.2f}" for name in names)] for kind in kinds]
    return table(rows, numbers=range(1, len(names) + 1))


BLOCKS = {"calibration": calibration, "strange": strange}


def main() -> None:
    keep(PAGE, BLOCKS, source="artifacts/reference")


if __name__ == "__main__":
    main()
