"""Tables of frozen features against fine-tuning, and of lesions that a score would take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from featkit.comparison import Contrast, FrozenAgainstFinetuned, LesionsNeeded
from featkit.report.tables import Row, markdown_table, signed_interval

__all__ = ["contrast_markdown", "contrast_rows", "target_rows"]


def contrast_rows(contrasts: Sequence[Contrast]) -> list[Row]:
    """Return one row a contrast: fine-tuned minus frozen, on the same lesions and draws."""
    return [
        {
            "fine-tuned": contrast.finetuned,
            "frozen": contrast.frozen.removeprefix(f"{contrast.backbone} / "),
            "budget": f"{contrast.budget:g}%",
            "difference": f"{contrast.difference.value:+.3f}",
            "95% interval": signed_interval(contrast.difference),
            "p (Holm)": f"{contrast.p_holm:.4f}",
            "better": contrast.winner or "–",
        }
        for contrast in contrasts
    ]


def target_rows(needed: Mapping[str, LesionsNeeded]) -> list[Row]:
    """Return what each row would take to reach the target."""
    return [{"method": method, "training lesions": each.words} for method, each in needed.items()]


def contrast_markdown(against: FrozenAgainstFinetuned) -> str:
    """Return the three families of contrasts, and where the curves cross, as Markdown."""
    families = {
        "the pair named before any result": against.declared,
        "rows that each side chooses by held-out predictions": against.chosen,
        "every other row with the declared one of the other side": against.others,
    }
    parts = ["## Fine-tuned minus frozen\n"]
    parts += [f"{each.finetuned}: {each.phrase()}.\n" for each in against.crossings]
    for title, contrasts in families.items():
        if contrasts:
            parts += [
                f"### {title[0].upper()}{title[1:]}\n",
                markdown_table(contrast_rows(contrasts)),
            ]
    return "\n".join(parts)
