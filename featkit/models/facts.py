"""What `model.json` says: every field typed, bounded, and nothing beside them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from featkit.backbones import Backbone

__all__ = [
    "BackboneFacts",
    "Calibration",
    "Estimate",
    "HeadFacts",
    "ModelFacts",
    "PreprocessingFacts",
    "Scores",
    "Tested",
    "Threshold",
    "Training",
    "Unlike",
    "backbone_facts",
]

Text = Annotated[str, Field(max_length=4096)]
Count = Annotated[int, Field(ge=0, le=10**12)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=1, le=4096)]
Views = Annotated[int, Field(ge=1, le=1024)]
Share = Annotated[float, Field(ge=0, le=1)]


class _Facts(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class Estimate(_Facts):
    """A number with its interval; None where it is not defined.

    Attributes:
        value: The number.
        low: Lower end of its 95% interval.
        high: Upper end.
    """

    value: float | None
    low: float | None = None
    high: float | None = None


class PreprocessingFacts(_Facts):
    """How images become the network's input (see `Preprocessing`)."""

    resize: Size | tuple[Size, Size]
    crop: tuple[Size, Size]
    interpolation: Text
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    border: bool
    decoder: Text
    resampler: Text


class BackboneFacts(_Facts):
    """What turns images into features.

    Attributes:
        spec: As `load_backbone` takes it; for a network inside the folder, what it was made from.
        architecture: The network's name in its library.
        weights_sha256: SHA-256 over the network's tensors.
        fingerprint: SHA-256 over architecture, weights, pooling and preprocessing.
        pooling: How it pools, `default` for its own way.
        dimension: Number of features D.
        parameters: Number of the network's parameters.
        random_weights: Whether they are random.
        preprocessing: How images become its input.
        precision: What the features that the head was trained on were computed in.
        inside: Whether the folder holds the network itself.
    """

    spec: Text
    architecture: Text
    weights_sha256: Sha256
    fingerprint: Sha256
    pooling: Text
    dimension: Annotated[int, Field(ge=1, le=1_000_000)]
    parameters: Count
    random_weights: bool
    preprocessing: PreprocessingFacts
    precision: Text
    inside: bool = False


def backbone_facts(
    backbone: Backbone, *, spec: str, precision: str, inside: bool = False
) -> BackboneFacts:
    """Return what is to be known of a loaded backbone.

    Args:
        backbone: As it is loaded for the model.
        spec: What it is called by.
        precision: What features were computed in.
        inside: Whether the model's folder holds it.
    """
    preprocessing = json.loads(json.dumps(backbone.preprocessing.to_dict()))
    return BackboneFacts.model_validate(
        {
            "spec": spec,
            "architecture": backbone.architecture,
            "weights_sha256": backbone.weights_sha256,
            "fingerprint": backbone.fingerprint,
            "pooling": backbone.pooling,
            "dimension": backbone.dimension,
            "parameters": backbone.parameters,
            "random_weights": backbone.random_weights,
            "preprocessing": preprocessing,
            "precision": precision,
            "inside": inside,
        },
        strict=False,
    )


class HeadFacts(_Facts):
    """What turns features into probabilities.

    Attributes:
        kind: Its name in `HEADS`.
        options: What it was made with.
        classes: Which of the model's classes it was trained on, ascending.
        chosen: What it chose inside its budget.
        parameters: Numbers that training set.
        views: Stored views of each image that it was trained on.
        tta: Views that a prediction is averaged over.
    """

    kind: Text
    options: dict[str, Any]
    classes: Annotated[tuple[Count, ...], Field(min_length=2, max_length=100_000)]
    chosen: dict[str, Any]
    parameters: Count
    views: Views = 1
    tta: Views = 1


class Calibration(_Facts):
    """What makes probabilities honest: softmax(log p / T + b) (see `Calibrator`).

    Attributes:
        temperature: T; None where nothing was held out to fit it on.
        bias: b of each class of the model; () where there is no temperature.
        images: Held-out training images that it was fitted on.
    """

    temperature: Annotated[float, Field(ge=0.04, le=21)] | None
    bias: tuple[Annotated[float, Field(ge=-1000, le=1000)], ...]
    images: Count


class Threshold(_Facts):
    """From which probability on a class is flagged, whatever the top one is.

    Attributes:
        name: The class.
        probability: Of calibrated ones.
        aimed: Specificity on the held-out training images that it was chosen on.
        specificity: On the test images.
        sensitivity: On the test images.
    """

    name: Text
    probability: Share
    aimed: Share
    specificity: Estimate
    sensitivity: Estimate


class Training(_Facts):
    """What it was trained on and how.

    Attributes:
        run: Digest of the Run's key.
        name: The Run's row in tables.
        frozen: Whether the backbone's weights stayed as they were.
        dataset: The data set's name.
        dataset_fingerprint: SHA-256 over images, labels and groups; "" = unknown.
        plan: Fingerprint of the Plan.
        split: The Plan's way of splitting.
        fold: Test fold.
        budget: Label budget, in percent of the training lesions.
        draw: Which draw of training lesions.
        config: The method's options.
        lesions: Lesions whose labels it has seen.
        images: Their images.
        images_by_class: Their images, by class; {} = unknown.
        device_s: Seconds that the device worked for it.
        versions: Of the software that made it.
    """

    run: Sha256
    name: Text
    frozen: bool
    dataset: Text
    dataset_fingerprint: Text
    plan: Sha256
    split: Text
    fold: Count
    budget: Annotated[float, Field(gt=0, le=100)]
    draw: Count
    config: dict[str, Any]
    lesions: Count
    images: Count
    images_by_class: dict[str, Count]
    device_s: Annotated[float, Field(ge=0)]
    versions: dict[str, str]


class Scores(_Facts):
    """What probabilities of one kind scored on the test images.

    Attributes:
        metrics: By name, as `featkit compare` has them.
        recall: Of each class.
        class_calibration: Gap between each class's probability and how often it is true.
        mean_probability: Of each class.
    """

    metrics: dict[str, Estimate]
    recall: dict[str, Estimate]
    class_calibration: dict[str, Estimate]
    mean_probability: dict[str, Share]


class Tested(_Facts):
    """What it scored on images that it had never seen, by the same code as `featkit compare`.

    Attributes:
        name: Of the test set.
        images: How many.
        lesions: How many.
        resamples: Of the bootstrap over lesions that gives the intervals.
        support: Test images of each class.
        head: Of the head's own probabilities, as the comparison scores them.
        calibrated: Of calibrated ones; the same where there is no calibration.
    """

    name: Text
    images: Count
    lesions: Count
    resamples: Count
    support: dict[str, Count]
    head: Scores
    calibrated: Scores


class Unlike(_Facts):
    """How images are told that are unlike the training data.

    Attributes:
        neighbours: k of the distance to the k-th nearest training case.
        level: Share of the training lesions that would be flagged, had they been new.
        false_alarms: Share of the test images that are flagged.
        images: Test images that this was measured on.
    """

    neighbours: Size
    level: Share
    false_alarms: Estimate
    images: Count


class ModelFacts(_Facts):
    """All that is known of a model.

    Attributes:
        name: For people.
        created: When, UTC, ISO 8601.
        classes: Names of the classes, in the order of probabilities.
        backbone: What makes features.
        head: What makes probabilities of them.
        calibration: What makes these honest.
        thresholds: From where on classes are flagged.
        training: What it was trained on.
        tested: What it scored.
        unlike: How strange images are told; None where the folder holds no training cases.
        intended_use: What it is for.
        limits: What it is not for, and what is not known.
    """

    name: Text
    created: Text
    classes: Annotated[tuple[Text, ...], Field(min_length=2, max_length=100_000)]
    backbone: BackboneFacts
    head: HeadFacts
    calibration: Calibration
    thresholds: tuple[Threshold, ...] = ()
    training: Training
    tested: Tested
    unlike: Unlike | None = None
    intended_use: Text
    limits: tuple[Text, ...]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        wanted = 0 if self.calibration.temperature is None else len(self.classes)
        if len(self.calibration.bias) != wanted:
            raise ValueError(f"calibration has {len(self.calibration.bias)} biases, not {wanted}")
        if max(self.head.classes) >= len(self.classes):
            raise ValueError("the head knows classes that the model has not")
        classes = set(self.classes)
        if len(classes) < len(self.classes):
            raise ValueError("two classes have the same name")
        if not classes.issuperset(found.name for found in self.thresholds):
            raise ValueError("a threshold is of no class")
        if not classes.issuperset(self.training.images_by_class):
            raise ValueError("training images are of no class")
        head, calibrated = self.tested.head, self.tested.calibrated
        by_class = [set(self.tested.support)]
        for kind in (head, calibrated):
            by_class += [set(kind.recall), set(kind.class_calibration), set(kind.mean_probability)]
        if any(names != classes for names in by_class):
            raise ValueError("scores are not of each class")
        if set(head.metrics) != set(calibrated.metrics):
            raise ValueError("calibrated probabilities have other scores than the head's")
        return self

    def to_json(self) -> Mapping[str, Any]:
        """Return the facts as JSON has them."""
        found: dict[str, Any] = self.model_dump(mode="json")
        return found
