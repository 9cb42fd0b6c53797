"""From a Run and its head to a model: calibration, thresholds and scores, with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featkit.evaluate import Calibrator, fit_calibrator, lesion_weights
from featkit.heads import Head
from featkit.models._scoring import tested_of, thresholds_of, unlike_of
from featkit.models.cases import Cases
from featkit.models.facts import BackboneFacts, Calibration, HeadFacts, ModelFacts, Training
from featkit.models.model import TrainedModel
from featkit.runs import Run

__all__ = ["Made", "model_of"]

_RESAMPLES = 2000
_INTENDED = (
    "Research on image classification with the images that it was trained on or images made like "
    "them. It is no medical device and must not be used for decisions about patients."
)


@dataclass(frozen=True, eq=False)
class Made:
    """What training left behind.

    Attributes:
        run: The Run.
        head: The trained head, its classes numbered as the Run's.
        kind: The head's name in `HEADS`.
        backbone: What made the features.
        dataset: The data set's name and fingerprint.
        cases: The training images.
        test: Plain views' features of the Run's test images, shape (n, D).
        views: Stored views of each image that the head was trained on.
        tta: Views that predictions were averaged over.
    """

    run: Run
    head: Head
    kind: str
    backbone: BackboneFacts
    dataset: tuple[str, str]
    cases: Cases
    test: NDArray[np.float32]
    views: int = 1
    tta: int = 1


def model_of(made: Made) -> TrainedModel:
    """Return the model with all that can be said of it from its own budget and test images."""
    run, cases = made.run, made.cases
    weights = lesion_weights(run.test.group, resamples=_RESAMPLES, seed=0)
    held_out, calibrator = run.held_out, None
    if held_out is not None and len(held_out.label):
        calibrator = fit_calibrator(held_out.label, held_out.probabilities)
    calibrated = run.probabilities if calibrator is None else calibrator(run.probabilities)
    facts = ModelFacts(
        name=run.name,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        classes=run.classes,
        backbone=made.backbone,
        head=HeadFacts(
            kind=made.kind,
            options=_plain(made.head.get_params()),
            classes=tuple(int(label) for label in made.head.classes_),
            chosen=_plain(dict(run.chosen)),
            parameters=made.head.n_parameters_,
            views=made.views,
            tta=made.tta,
        ),
        calibration=Calibration(
            temperature=None if calibrator is None else calibrator.temperature,
            bias=() if calibrator is None else calibrator.bias,
            images=0 if calibrator is None or held_out is None else len(held_out.label),
        ),
        thresholds=()
        if calibrator is None
        else thresholds_of(run, calibrator, calibrated, weights),
        training=_training(made),
        tested=tested_of(run, calibrated, weights),
        unlike=unlike_of(cases.unlike(made.test), cases.neighbours, run.test.group, weights),
        intended_use=_INTENDED,
        limits=tuple(_limits(made, calibrator)),
    )
    return TrainedModel(facts, made.head, cases)


def _training(made: Made) -> Training:
    run, key, cases = made.run, made.run.key, made.cases
    counts = np.bincount(cases.label, minlength=len(run.classes))
    name, fingerprint = made.dataset
    return Training(
        run=key.digest,
        name=run.name,
        frozen=run.frozen,
        dataset=name,
        dataset_fingerprint=fingerprint,
        plan=key.plan,
        split=run.split,
        fold=key.fold,
        budget=key.budget,
        draw=key.draw,
        config=_plain(dict(key.config)),
        lesions=run.train_lesions,
        images=run.train_images,
        images_by_class={name: int(counts[place]) for place, name in enumerate(run.classes)},
        device_s=run.cost.device_s,
        versions=dict(run.versions),
    )


def _limits(made: Made, calibrator: Calibrator | None) -> list[str]:
    run = made.run
    limits = [
        f"It knows {len(run.classes)} classes and gives every image one of them, whatever it shows."
        " An image that shows nothing of the kind gets probabilities all the same.",
        f"It was trained on {run.train_images:,} images of {made.dataset[0]} and tested on images "
        "of the same origin unless the test set's name says otherwise. Other cameras, clinics, "
        "skin types and ages than these were not tested.",
    ]
    seen = set(made.cases.label.tolist())
    missing = [name for place, name in enumerate(run.classes) if place not in seen]
    if missing:
        limits.append(f"It was trained on no image of: {', '.join(missing)}.")
    limits.append(
        "Its probabilities are not calibrated."
        if calibrator is None
        else "Its probabilities hold where classes are as frequent as in the training data; where "
        "a class is rarer or more frequent, they do not."
    )
    if run.split.startswith("random"):
        limits.append(
            "It was split at random: photographs of one lesion may stand on both sides, so its "
            "scores are too high."
        )
    if made.backbone.random_weights:
        limits.append("Its backbone has random weights: it is a baseline, not for use.")
    return limits


def _plain(value: Any) -> Any:
    """Return a value as JSON has it."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
