"""The model card: `model.json` for people, in Markdown.

Mitchell et al., "Model cards for model reporting", FAT* 2019, names the sections.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from featkit.evaluate import METRICS
from featkit.models.facts import Estimate, ModelFacts
from featkit.naming import counted

__all__ = ["card_of", "decides"]


def card_of(facts: ModelFacts) -> str:
    """Return the card of a model."""
    sections = {
        "Intended use": [facts.intended_use],
        "Limits": [f"- {limit}" for limit in facts.limits],
        "How it scored": _scores(facts),
        "Calibration": _calibration(facts),
        "Classes": _classes(facts),
        "Thresholds": _thresholds(facts),
        "Images unlike the training data": _unlike(facts),
        "What it was trained on": _training(facts),
        "How it works": _inside(facts),
    }
    lines = [f"# {facts.name}", ""]
    for title, body in sections.items():
        if body:
            lines += [f"## {title}", "", *body, ""]
    return "\n".join(lines)


def decides(facts: ModelFacts) -> str:
    """Return what the model's decisions are, in a sentence or two."""
    if facts.training.config.get("imbalance", "none") == "none":
        return "The decision is the class that the head finds most probable before calibration."
    return (
        "The decision is the class that the image speaks for most if all classes were equally "
        "frequent. Where a class is rare it may be another one than the most probable."
    )


def _scores(facts: ModelFacts) -> list[str]:
    tested = facts.tested
    titles = {name: metric.title for name, metric in METRICS.items()}
    rows = [
        (titles.get(name, name), _shown(found), _shown(tested.calibrated.metrics[name]))
        for name, found in tested.head.metrics.items()
    ]
    return [
        f"On {counted(tested.images, 'image')} of {counted(tested.lesions, 'lesion')} that it had "
        f"not seen ({tested.name}); in brackets 95% intervals from {tested.resamples:,} "
        "resamplings of lesions.",
        "",
        *_table(("Metric", "Decision", "Calibrated"), rows),
        "",
        f"{decides(facts)} The comparison scores decisions. The column «Calibrated» scores the "
        "most probable class and its calibrated probability.",
    ]


def _calibration(facts: ModelFacts) -> list[str]:
    found = facts.calibration
    if found.temperature is None:
        return ["None: the budget left no images to fit it on. No probability may be trusted."]
    biases = ", ".join(
        f"{name} {bias:+.2f}" for name, bias in zip(facts.classes, found.bias, strict=True)
    )
    return [
        f"softmax(log p / T + b) with T = {found.temperature:.3f} and b: {biases}; fitted on "
        f"{counted(found.images, 'image')} held out inside the training set."
    ]


def _classes(facts: ModelFacts) -> list[str]:
    tested, trained = facts.tested, facts.training.images_by_class
    rows = [
        (
            name,
            f"{trained[name]:,}" if name in trained else "",
            f"{tested.support[name]:,}",
            _shown(tested.head.recall[name]),
            _shown(tested.calibrated.recall[name]),
            f"{tested.support[name] / tested.images:.3f}",
            f"{tested.calibrated.mean_probability[name]:.3f}",
            _shown(tested.calibrated.class_calibration[name]),
        )
        for name in facts.classes
    ]
    images = ("Training images", "Test images")
    recall = ("Recall of decisions", "Recall of the most probable")
    honesty = ("Share of test images", "Mean probability", "Calibration error")
    return _table(("Class", *images, *recall, *honesty), rows)


def _thresholds(facts: ModelFacts) -> list[str]:
    rows = [
        (
            found.name,
            f"{found.probability:.4f}",
            f"{found.aimed:.2f}",
            _shown(found.specificity),
            _shown(found.sensitivity),
        )
        for found in facts.thresholds
    ]
    head = ("Class", "Flagged from", "Specificity aimed at", "Specificity", "Sensitivity")
    note = "Chosen on held-out training images; measured on the test images."
    return [*_table(head, rows), "", note] if rows else []


def _unlike(facts: ModelFacts) -> list[str]:
    found = facts.unlike
    if found is None:
        return []
    return [
        f"An image is flagged when it is farther from its {found.neighbours}th nearest training "
        f"case than {1 - found.level:.0%} of the training lesions are from each other. Of "
        f"{counted(found.images, 'test image')} {_shown(found.false_alarms)} were flagged: the "
        "false-alarm rate. No flag does not mean that an image is of the kind that the model knows."
    ]


def _training(facts: ModelFacts) -> list[str]:
    done = facts.training
    rows = [
        ("Data set", done.dataset),
        ("Fingerprint", done.dataset_fingerprint or "unknown"),
        ("Lesions, images", f"{done.lesions:,}, {done.images:,}"),
        ("Label budget", f"{done.budget:g}% of the training lesions"),
        ("Split", f"{done.split}, fold {done.fold}, draw {done.draw}"),
        ("Work", f"{done.device_s:.1f} device seconds"),
        ("Run", done.run),
        ("Software", ", ".join(f"{name} {number}" for name, number in done.versions.items())),
    ]
    return _table(("", ""), rows)


def _inside(facts: ModelFacts) -> list[str]:
    backbone, head = facts.backbone, facts.head
    how = backbone.preprocessing
    weights = "random" if backbone.random_weights else f"SHA-256 {backbone.weights_sha256}"
    place = "inside this folder" if backbone.inside else "loaded by this name and compared"
    views = f", averaged over {head.tta} views" if head.tta > 1 else ""
    return _table(
        ("", ""),
        [
            ("Backbone", f"{backbone.spec} ({backbone.architecture}, {place})"),
            ("Weights", f"{backbone.parameters:,} parameters, {weights}"),
            ("Trained", "head on frozen features" if facts.training.frozen else "end to end"),
            ("Input", f"{how.crop[0]} × {how.crop[1]} px, {how.interpolation}, {how.decoder}"),
            ("Features", f"{backbone.dimension:,}, computed in {backbone.precision}"),
            ("Head", f"{head.kind}, {head.parameters:,} parameters{views}"),
        ],
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return ["| " + " | ".join(map(_cell, line)) + " |" for line in lines]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _shown(found: Estimate) -> str:
    if found.value is None:
        return "not defined"
    if found.low is None or found.high is None:
        return f"{found.value:.3f}"
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
