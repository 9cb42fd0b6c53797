"""The answer in a sentence and its details, no stronger than their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from featkit.comparison._rounding import two_digits
from featkit.comparison.comparison import CellResult, Comparison
from featkit.comparison.contrasts import Contrast, FrozenAgainstFinetuned
from featkit.comparison.evidence import Evidence
from featkit.evaluate import find_metric
from featkit.naming import counted
from featkit.plans import leaks

__all__ = ["Headline", "headline", "untested_note"]

_QUESTION = (
    "When do frozen features plus a light head suffice, and when is fine-tuning worth its price?"
)
_IN_WORDS = {
    "linear": "a linear head on frozen features",
    "mlp": "an MLP head on frozen features",
    "lightgbm": "LightGBM on frozen features",
    "finetune-head": "training the head on augmented images",
    "finetune-last": "fine-tuning the last stage",
    "finetune-full": "full fine-tuning",
    "finetune-lp-ft": "fine-tuning after a linear probe",
}
_MOST_BACKBONES = 2


@dataclass(frozen=True)
class Headline:
    """What the comparison comes to.

    Attributes:
        question: That is asked.
        answer: One sentence, for two backbones at most.
        details: At which budgets, where the curves cross, and the price: some sentences a backbone.
        caveats: What a reader must know before believing them, a sentence each.
    """

    question: str
    answer: str
    details: tuple[str, ...]
    caveats: tuple[str, ...]


def headline(evidence: Evidence, against: FrozenAgainstFinetuned) -> Headline:
    """Put the contrasts of the declared pair into words.

    Args:
        evidence: Runs and their comparison.
        against: Frozen features against fine-tuning.
    """
    caveats = _caveats(evidence.comparison, against.declared)
    if not against.declared:
        return Headline(_QUESTION, _one_sided(evidence.comparison), (), caveats)
    by_backbone: dict[str, list[Contrast]] = {}
    for contrast in against.declared:
        by_backbone.setdefault(contrast.backbone, []).append(contrast)
    leads = [_lead(evidence, mine) for mine in list(by_backbone.values())[:_MOST_BACKBONES]]
    rest = len(by_backbone) - len(leads)
    more = f"; for {counted(rest, 'more backbone')} see below" if rest else ""
    details = tuple(
        f"On {name}, {_verdict(evidence, mine)}. "
        f"{_crossing(against, name)}{_price(evidence, mine[-1])}{_chosen(against, mine)}"
        for name, mine in by_backbone.items()
    )
    caveats += _unlike_inputs(evidence, against.declared)
    return Headline(_QUESTION, f"{'; '.join(leads)}{more}.", details, caveats)


def _lead(evidence: Evidence, contrasts: Sequence[Contrast]) -> str:
    """Return a backbone's answer in a clause, the first of which begins the sentence."""
    tuned, light = _sides(evidence, contrasts[0])
    winners = [contrast.winner for contrast in contrasts]
    from_here = next(
        (place for place in range(len(winners)) if {*winners[place:]} == {"fine-tuned"}), None
    )
    where = f"on {contrasts[0].backbone}"
    if set(winners) == {""}:
        said = f"no clear difference between {tuned} and {light} was found"
        said += _everywhere(evidence, contrasts, word="any")
    elif set(winners) == {"frozen"}:
        said = f"{light} is clearly better than {tuned}{_everywhere(evidence, contrasts)}"
    elif from_here is None:
        said = _verdict(evidence, contrasts)
    elif from_here == 0:
        said = f"{tuned} is clearly better than {light}{_everywhere(evidence, contrasts)}"
    else:
        first = contrasts[from_here]
        said = (
            f"{tuned} is clearly better than {light} from {first.budget:g}% of the labels "
            f"({first.train_lesions:,.0f} training lesions) on, {_below(contrasts[:from_here])}"
        )
    return f"{where[0].upper()}{where[1:]}, {said}"


def _everywhere(evidence: Evidence, contrasts: Sequence[Contrast], *, word: str = "every") -> str:
    """Return at which budgets something holds that holds at all that both sides have."""
    if len(contrasts) == 1:
        return f" at {contrasts[0].budget:g}% of the labels"
    if len(contrasts) == len(evidence.grid.budgets):
        return f" at {word} label budget tried"
    return f" at {word} label budget that both were trained at"


def _below(contrasts: Sequence[Contrast]) -> str:
    """Return who is better at the budgets before fine-tuning's clear lead."""
    worse = [f"{each.budget:g}%" for each in contrasts if each.winner == "frozen"]
    same = [f"{each.budget:g}%" for each in contrasts if each.winner == ""]
    if not worse:
        return "with no clear difference below"
    if not same:
        return "and clearly worse below"
    return f"clearly worse at {', '.join(worse)}, with no clear difference at {', '.join(same)}"


def _unlike_inputs(evidence: Evidence, contrasts: Sequence[Contrast]) -> tuple[str, ...]:
    """Say where the two sides of a contrast saw other pixels."""
    unlike: dict[str, None] = {}
    for contrast in contrasts:
        tuned, light = (
            evidence.grid.example(row).inputs.get("preprocessing")
            for row in (contrast.finetuned, contrast.frozen)
        )
        if tuned and light and tuned != light:
            unlike[contrast.backbone] = None
    return tuple(
        f"On {name} the two sides saw images of another size, normalisation or decoder, so the "
        "difference is not of the method alone."
        for name in unlike
    )


def _sides(evidence: Evidence, contrast: Contrast) -> tuple[str, str]:
    """Return the fine-tuned and the frozen method of a contrast in words."""
    tuned, light = (
        _words(evidence.grid.example(row).key.method)
        for row in (contrast.finetuned, contrast.frozen)
    )
    return tuned, light


def _one_sided(comparison: Comparison) -> str:
    best = comparison.best()
    sides = {cell.frozen for cell in comparison.cells}
    if sides == {True}:
        only = "All Runs are of frozen features, so nothing can be said of fine-tuning"
    elif sides == {False}:
        only = "All Runs are of fine-tuning, so nothing can be said of frozen features"
    else:
        only = "No backbone has both frozen and fine-tuned Runs, so the two cannot be compared"
    title = find_metric(comparison.metric).title.lower()
    score = best.scores[comparison.metric]
    return (
        f"{only}. The best at {best.budget:g}% is {best.method}: {title} {score.value:.3f} "
        f"(95% interval {score.low:.3f} to {score.high:.3f})."
    )


def _verdict(evidence: Evidence, contrasts: Sequence[Contrast]) -> str:
    """Return at which budgets of a backbone who is better."""
    better, worse, open_ = (
        [each for each in contrasts if each.winner == winner]
        for winner in ("fine-tuned", "frozen", "")
    )
    tuned, light = _sides(evidence, contrasts[0])
    said = []
    if better:
        said.append(f"{tuned} is clearly better than {light} at {_budgets(better)}")
    if worse:
        who = "the frozen features are clearly better" if better else light + " is clearly better"
        said.append(f"{who}{'' if better else f' than {tuned}'} at {_budgets(worse)}")
    if open_:
        between = "" if said else f" between {tuned} and {light}"
        said.append(f"no clear difference{between} was found at {_budgets(open_)}")
    return "; ".join(said)


def _words(method: str) -> str:
    base, *variants = method.split("+")
    return _IN_WORDS.get(base, base) + "".join(f" + {name}" for name in variants)


def _budgets(contrasts: Sequence[Contrast]) -> str:
    """Return `1%, 5% and 10% of the labels (63 to 597 training lesions)`."""
    *others, last = [f"{contrast.budget:g}%" for contrast in contrasts]
    listed = f"{', '.join(others)} and {last}" if others else last
    lesions = dict.fromkeys(f"{each.train_lesions:,.0f}" for each in (contrasts[0], contrasts[-1]))
    return f"{listed} of the labels ({' to '.join(lesions)} training lesions)"


def _crossing(against: FrozenAgainstFinetuned, backbone: str) -> str:
    found = [each for each in against.crossings if each.backbone == backbone and each.within]
    return f"{found[0].phrase().capitalize()}. " if found else ""


def _price(evidence: Evidence, contrast: Contrast) -> str:
    """Return the difference at a budget, and what it costs."""
    found, title = contrast.difference, evidence.metric.title.lower()
    cells = [
        evidence.comparison.cell(row, contrast.budget)
        for row in (contrast.finetuned, contrast.frozen)
    ]
    return (
        f"At {contrast.budget:g}%, fine-tuned minus frozen {title} is {found.value:+.3f} "
        f"(95% interval {found.low:+.3f} to {found.high:+.3f}), for "
        f"{_cost(*(cell for cell in cells if cell))}."
    )


def _chosen(against: FrozenAgainstFinetuned, declared: Sequence[Contrast]) -> str:
    """Return what becomes of the difference where each side takes its best method."""
    found = [each for each in against.chosen if each.backbone == declared[0].backbone]
    known = {each.budget: each.difference for each in declared}
    if all(each.difference == known.get(each.budget) for each in found):
        return ""  # there is nothing to choose from
    last = found[-1].difference
    clear = [f"{each.budget:g}% ({each.winner})" for each in found if each.winner]
    alone = "" if len(clear) == len(found) else " alone"
    said = f"is clear at {', '.join(clear)}{alone}" if clear else "is clear at no budget"
    return (
        " Where each side takes, Run by Run, the method that its own held-out predictions prefer, "
        f"the difference {said} (at {found[-1].budget:g}% {last.value:+.3f}, 95% interval "
        f"{last.low:+.3f} to {last.high:+.3f})."
    )


def _cost(tuned: CellResult, light: CellResult) -> str:
    if tuned.devices != light.devices or not light.alone_s:
        # Seconds of different devices have no ratio.
        both = (f"{_seconds(cell)} on {' and '.join(cell.devices)}" for cell in (tuned, light))
        return f"{' against '.join(both)} a Run, features included"
    ratio = tuned.alone_s / light.alone_s
    return (
        f"{two_digits(ratio)} times the device time ({_seconds(tuned)} against {_seconds(light)} "
        "a Run, features included)"
    )


def _seconds(cell: CellResult) -> str:
    return f"{cell.alone_s:,.0f} s" if cell.alone_s >= 10 else f"{cell.alone_s:.1f} s"


def _caveats(comparison: Comparison, declared: Sequence[Contrast]) -> tuple[str, ...]:
    said = []
    if leaks(comparison.split):
        said.append(
            "The split is random: photographs of one lesion stand on both sides, so all scores "
            "are too high."
        )
    if comparison.untested:
        said.append(untested_note(comparison))
    if declared:
        said.append(
            "“Clearly” means p < 0.05 after Holm's correction over "
            f"{counted(len(declared), 'contrast')} of rows that were named before any result; no "
            "clear difference does not mean none."
        )
    else:
        said.append(
            "The best row was picked by the same data, so its score is a little optimistic."
        )
    if any(contrast.runs == 1 for contrast in declared):
        said.append(
            "Some contrasts are of a single draw: their intervals know of other test lesions, not "
            "of other training lesions."
        )
    return tuple(said)


def untested_note(comparison: Comparison) -> str:
    """Return a sentence on classes without a test image, which are some."""
    names = " or ".join(comparison.untested)
    return f"No test image is of {names}, so means over classes are of the others."
