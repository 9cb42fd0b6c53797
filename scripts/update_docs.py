"""Copy what the reference studies found into docs/wrong-numbers.md, so that no number is typed.

With `--check`, write nothing and fail where the page and the files differ.
"""

from __future__ import annotations

import textwrap

from blocks import keep, table
from update_readme import ROOT, _json, _short, finetuning, leak

PAGE = ROOT / "docs" / "wrong-numbers.md"


def _wrapped(words: str) -> str:
    return textwrap.fill(words, width=120, break_on_hyphens=False)


def lesions() -> str:
    """How many images have siblings, and where they would go."""
    found = _json("data_check.json")
    split = _json("frozen_or_finetuned/leakage/leakage.json")
    share = split["test_images_with_siblings"] / split["test_images"]
    return _wrapped(
        f"HAM10000 has {found['images']:,} images of {found['lesions']:,} lesions. Split at "
        f"random, {split['test_images_with_siblings']:,} of {split['test_images']:,} test images "
        f"({share:.0%}) have photographs of the same lesion among the training images."
    )


def twice() -> str:
    """Lesions under two ids."""
    found = _json("duplicates.json")
    return _wrapped(
        f"On HAM10000 it confirms {found['confirmed']} pairs of images in {found['lesion_pairs']} "
        f"pairs of lesion ids; of {found['across_lesions']['pairs']:,} random pairs across lesions "
        f"it confirms {found['across_lesions']['confirmed'] or 'none'}."
    )


def budgets() -> str:
    """How many lesions a budget has."""
    found = _json("grouped/comparison.json")
    lesions = {cell["budget"]: cell["train_lesions"] for cell in found["cells"]}
    rows = [
        ["label budget", *(f"{budget:g}%" for budget in lesions)],
        ["training lesions", *(f"{count:,.0f}" for count in lesions.values())],
    ]
    return table(rows, numbers=range(1, len(rows[0])))


def recall() -> str:
    """Recall of the best method with support: what few images tell."""
    found = _json("grouped/comparison.json")
    budget = found["budgets"][-1]
    at = [cell for cell in found["cells"] if cell["budget"] == budget]
    best = max(at, key=lambda cell: cell["scores"][found["metric"]]["value"])["method"]
    mine = [
        each for each in found["by_class"] if (each["method"], each["budget"]) == (best, budget)
    ]
    rows = [["class", "test images", f"recall of {best} at {budget:g}%"]]
    for each in sorted(mine, key=lambda each: each["support"]):
        rows.append([each["class_name"], f"{each['support']:,}", _short(each["recall"])])
    return table(rows, numbers=[1, 2])


def family() -> str:
    """How many differences look clear before and after the correction."""
    found = _json("grouped/comparison.json")["differences"]
    before, after = (sum(each[name] < 0.05 for each in found) for name in ("p", "p_holm"))
    return _wrapped(
        f"Of the {len(found)} differences in the study of heads, {before} have p < .05 one by one; "
        f"{after} do after Holm's correction."
    )


BLOCKS = {
    "lesions": lesions,
    "leak": leak,
    "twice": twice,
    "budgets": budgets,
    "recall": recall,
    "family": family,
    "price": finetuning,
}


def main() -> None:
    keep(PAGE, BLOCKS, source="artifacts/reference")


if __name__ == "__main__":
    main()
