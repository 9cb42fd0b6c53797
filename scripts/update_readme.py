"""Copy the reference study's tables, and speeds, into README, so that no number is typed.

With `--check`, write nothing and fail where README and the files differ.
"""

from __future__ import annotations

import csv
import json
import textwrap
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from blocks import keep, table
from speed import rivals

from featkit.naming import row_parts

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "artifacts" / "reference"


def _json(path: str) -> Any:
    return json.loads((REFERENCE / path).read_text())


def _short(score: Mapping[str, float], digits: int = 3) -> str:
    value, low, high = (
        f"{number:.{places}f}".removeprefix("0")
        for number, places in ((score["value"], digits), (score["low"], 2), (score["high"], 2))
    )
    return f"{value} [{low}, {high}]"


def _signed(score: Mapping[str, float]) -> str:
    value, low, high = (f"{score[name]:+.3f}" for name in ("value", "low", "high"))
    return f"{value} [{low}, {high}]".replace("+0.", "+.").replace("-0.", "−.")


def _measured(machine: Mapping[str, Any], *packages: str) -> str:
    cpu = f"{machine['cores']} cores of an {machine['cpu']}, {machine['memory_gib']} GB, no GPU"
    software = ", ".join(f"{name} {machine['versions'][name]}" for name in packages)
    return f"Measured {machine['date']} on {cpu}; {software}"


def _table(rows: list[list[str]]) -> str:
    return table(rows, numbers=range(1, len(rows[0])))


def main_table() -> str:
    """Balanced accuracy by method and budget, grouped split."""
    found = _json("grouped/comparison.json")
    scores = {(cell["method"], cell["budget"]): cell["scores"] for cell in found["cells"]}
    rows = [["balanced accuracy", *(f"{budget:g}%" for budget in found["budgets"])]]
    for method in found["methods"]:
        row = [scores[method, budget][found["metric"]] for budget in found["budgets"]]
        rows.append([method, *map(_short, row)])
    lesions = {cell["budget"]: f"{cell['train_lesions']:,.0f}" for cell in found["cells"]}
    rows.append(["training lesions", *(lesions[budget] for budget in found["budgets"])])
    return _table(rows)


def full_budget() -> str:
    """All metrics of the best method of each backbone at 100%."""
    found = _json("grouped/comparison.json")
    at = [cell for cell in found["cells"] if cell["budget"] == found["budgets"][-1]]
    at.sort(key=lambda cell: -cell["scores"]["balanced_accuracy"]["value"])
    names = ["balanced_accuracy", "accuracy", "macro_auroc", "sensitivity_at_95_specificity"]
    titles = ["balanced accuracy", "accuracy", "macro AUROC", "melanoma sensitivity at 95% spec."]
    rows = [["at 100% of the labels", *titles, "seconds a fit"]]
    for cell in at:
        scores = [_short(cell["scores"][name]) for name in names]
        rows.append([cell["method"], *scores, f"{cell['wall_s']:.0f}"])
    return _table(rows)


def baseline() -> str:
    """What an untuned script reads on the same fold."""
    found = _json("baseline.json")
    read = [
        f"{found[name]['accuracy']:.3f} and {found[name]['balanced_accuracy']:.3f} {words}"
        for name, words in (("unweighted", "without"), ("class weights", "with class weights"))
    ]
    return (
        "For comparison, scikit-learn's logistic regression on the "
        f"{found['backbone']} features of the\n"
        "same training lesions and the same fold, nothing tuned: accuracy and balanced accuracy\n"
        f"{' and '.join(read)}."
    )


def leak() -> str:
    """What the leak of a random split is worth at the full budget."""
    found = _json("frozen_or_finetuned/leakage/leakage.json")
    training = found["training"][-1]
    rows = [["at 100%", "clean", "leaky", "leaky − clean", "… with siblings", "random − grouped"]]
    for score in found["scores"]:
        if (score["budget"], score["metric"]) == (training["budget"], "balanced_accuracy"):
            changes = [score[name] for name in ("difference", "with_siblings", "naive")]
            rows.append(
                [row_parts(score["method"])[1], _short(score["clean"]), _short(score["leaky"])]
                + [_signed(change) for change in changes]
            )
    words = (
        f"Both training sets have {training['images']:,.0f} images, the same number of each class; "
        f"of the leaky ones {training['siblings']:,.0f} show a tested lesion, of the clean ones "
        f"none. Tested are the same {found['test_images']:,} images, "
        f"{found['test_images_with_siblings']:,} of which have such siblings."
    )
    return f"{textwrap.fill(words, width=120)}\n\n{_table(rows)}"


def finetuning() -> str:
    """The study's answer: who is better, where the curves cross, and the price."""
    headline = _json("frozen_or_finetuned/analysis.json")["headline"]
    _, crossing_and_price = headline["details"][0].split(". ", 1)  # after who is better, again
    return textwrap.fill(f"{headline['answer']} {crossing_and_price}", width=120)


def finetuning_table() -> str:
    """Every method of the study by budget, with its price."""
    found = _json("frozen_or_finetuned/comparison.json")
    cells = {(cell["method"], cell["budget"]): cell for cell in found["cells"]}
    budgets = found["budgets"]
    prices = ["images seen", "core-seconds a Run"]
    rows = [
        ["balanced accuracy", *(f"{budget:g}%" for budget in budgets)]
        + [f"{price} at {budgets[-1]:g}%" for price in prices]
    ]
    for method in found["methods"]:
        mine = [cells[method, budget] for budget in budgets]
        scores = [_short(cell["scores"][found["metric"]]) for cell in mine]
        price = [f"{mine[-1]['images_seen']:,.0f}", f"{mine[-1]['alone_s']:,.0f}"]
        rows.append([row_parts(method)[1], *scores, *price])
    lesions = [f"{cells[found['methods'][0], b]['train_lesions']:,.0f}" for b in budgets]
    rows.append(["training lesions", *lesions, "", ""])
    return _table(rows)


def finetuning_machine() -> str:
    """Where and when the study was made."""
    machine = _json("frozen_or_finetuned/machine.json")
    return f"{_measured(machine, 'torch', 'timm')}."


def times() -> str:
    """Where and when, and how long each step took."""
    machine = _json("machine.json")
    with (REFERENCE / "times.csv").open() as handle:
        steps: Counter[str] = Counter()  # a step that was interrupted has several rows
        for row in csv.DictReader(handle):
            steps[row["step"]] += int(row["seconds"])
    took = ", ".join(
        f"{step} {seconds // 60}:{seconds % 60:02d}" for step, seconds in steps.items()
    )
    return f"{_measured(machine, 'torch', 'scikit-learn')}. Minutes: {took}."


BLOCKS = {
    "main": main_table,
    "full": full_budget,
    "baseline": baseline,
    "leak": leak,
    "times": times,
    "finetuning": finetuning,
    "finetuning table": finetuning_table,
    "finetuning machine": finetuning_machine,
    "speed": rivals,
}


def main() -> None:
    keep(ROOT / "README.md", BLOCKS, source="artifacts/reference")


if __name__ == "__main__":
    main()
