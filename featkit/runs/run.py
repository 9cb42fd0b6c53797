"""Run: one method trained once, with its test probabilities and its cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from featkit.fingerprints import fingerprint
from featkit.naming import row_name

__all__ = ["Cost", "HeldOut", "Run", "RunKey", "TestSet"]


@dataclass(frozen=True)
class RunKey:
    """What a Run is of: two Runs with equal keys are the same experiment.

    Attributes:
        method: The head or the fine-tuning strategy (`linear`).
        backbone: Short name of the backbone, for tables.
        fold: Test fold.
        budget: Label budget, in percent of the training lesions.
        draw: Which of the nested draws of training lesions.
        config: The method's options.
        source: Fingerprint of what the method was given (a FeatureStore).
        plan: Fingerprint of the Plan.
        test: Fingerprint of an external test set; "" for the Plan's own test fold.
    """

    method: str
    backbone: str
    fold: int
    budget: float
    draw: int
    config: Mapping[str, object]
    source: str
    plan: str
    test: str = ""

    @cached_property
    def digest(self) -> str:
        """SHA-256 over all fields but the backbone's short name."""
        fields = asdict(self)
        del fields["backbone"]
        return fingerprint(fields)

    @property
    def file_name(self) -> str:
        """`METHOD-fFOLD-bBUDGET-dDRAW-DIGEST.npz`, for people and for resuming."""
        cell = f"f{self.fold}-b{self.budget:g}-d{self.draw}"
        return f"{self.method}-{cell}-{self.digest[:12]}.npz"


@dataclass(frozen=True, eq=False)
class TestSet:
    """The images that a Run was tested on, each exactly once.

    Attributes:
        name: `held-out fold` or the external data set's name.
        image_id: Shape (n,).
        group: The images' groups (lesions), what the bootstrap resamples, shape (n,).
        label: Index into the Run's classes, shape (n,), int16.
    """

    __test__ = False  # not a test class, whatever pytest thinks of the name

    name: str
    image_id: NDArray[np.str_]
    group: NDArray[np.str_]
    label: NDArray[np.int16]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over ids, groups and labels."""
        return fingerprint(self.image_id, self.group, self.label)


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Predictions made inside the budget, on images that the predicting model had not seen.

    Probabilities are calibrated by them, since the test images may not be touched.

    Attributes:
        label: Index into the Run's classes, shape (m,), int16.
        probabilities: Shape (m, C), float32.
    """

    label: NDArray[np.int16]
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Cost:
    """What a Run cost.

    Attributes:
        wall_s: Seconds from the training images' features, or decoded images, to the test
            probabilities.
        device_s: Seconds that the device worked for it in this time: of a CPU those of all cores
            added up, of a GPU those that passed until it was done. Both are a share by training
            rows where several Runs were trained in one go.
        images_seen: Training images passed through the backbone, repetitions included: each once
            for frozen features, once an epoch for fine-tuning.
        parameters_trained: Number of trained parameters.
        peak_memory_mb: In MiB; of a GPU the most that the Run allocated, of a CPU the most that the
            process has held so far, for earlier Runs too.
        features_s: Device seconds that went into the training images once, for all Runs on them: a
            frozen backbone's features, or decoding before fine-tuning; not in the seconds above.
        device: Its name, such as `cpu: AMD EPYC, 2 cores`.
        threads: CPU threads given to it.
    """

    wall_s: float
    device_s: float
    images_seen: int
    parameters_trained: int
    peak_memory_mb: float
    features_s: float = 0.0
    device: str = "cpu"
    threads: int = 1


@dataclass(frozen=True, eq=False)
class Run:
    """One method trained once, at one fold, budget and draw.

    Attributes:
        key: What it is a Run of.
        classes: The classes' names, in the order of the probabilities' columns.
        test: The images it was tested on.
        probabilities: Shape (n, len(classes)), float32, rows sum to one.
        train_lesions: Number of lesions whose labels the method saw, validation included.
        train_images: Number of their images.
        cost: What it cost.
        chosen: What the method chose inside its budget (strength, rounds, epochs).
        split: The Plan's way of splitting; `random` is marked wherever it is shown.
        frozen: Whether the backbone's weights stayed as they were: a head on its features.
        held_out: Predictions for calibration, or None where the budget left no images for them.
        versions: Of the software that made it, by package.
        inputs: What images went through: `spec` and `weights_sha256` of the backbone,
            `preprocessing`; empty where a foreign file does not say.
    """

    key: RunKey
    classes: tuple[str, ...]
    test: TestSet
    probabilities: NDArray[np.float32]
    train_lesions: int
    train_images: int
    cost: Cost
    chosen: Mapping[str, object] = field(default_factory=dict)
    split: str = "grouped"
    frozen: bool = True
    held_out: HeldOut | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, object] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """`BACKBONE / METHOD`: the Run's row in tables."""
        return row_name(self.key.backbone, self.key.method)
