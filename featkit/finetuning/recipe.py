"""Recipe: how a network is fine-tuned, with defaults by strategy."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal, get_args, get_type_hints

from featkit.errors import UsageError

__all__ = ["AUGMENTATIONS", "STEPS", "STRATEGIES", "Recipe", "changes", "recipe_for"]

STRATEGIES = ("head", "last", "full", "lp-ft")
"""What is trained: a new last layer on augmented images, the last stage too, everything, or
everything after a linear probe (Kumar et al. 2022, arXiv:2202.10054)."""

STEPS = (
    "crop",
    "hflip",
    "vflip",
    "quarter-turns",
    "rotation",
    "colour",
    "blur",
    "sharpen",
)
"""What augmentation consists of, in the order in which the steps are taken."""

AUGMENTATIONS: Mapping[str, tuple[str, ...]] = {
    "none": (),
    "light": ("hflip", "quarter-turns", "rotation"),
    "medium": ("hflip", "quarter-turns", "rotation", "colour"),
    "heavy": ("crop", "hflip", "quarter-turns", "rotation", "colour", "blur", "sharpen"),
}
"""Levels of augmentation, by the steps that they take."""

Optimizer = Literal["adamw", "sgd", "adam"]
Schedule = Literal["cosine", "constant"]
Imbalance = Literal["weights", "oversample", "none"]
Monitor = Literal["balanced_accuracy", "log_loss"]
BatchNorm = Literal["auto", "trained", "frozen"]
Precision = Literal["auto", "fp32", "bf16", "fp16"]

_CODE = 2
"""Raise it when the same recipe would train another model than before."""


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """All that decides a fine-tuned model besides backbone, images and random numbers.

    Attributes:
        optimizer: `adamw` (decoupled weight decay), `sgd` with momentum, or `adam`.
        lr: Learning rate of the last layer, after warm-up.
        momentum: Of `sgd`.
        weight_decay: On weights; biases and normalisation have none.
        layer_decay: Factor of the learning rate from each layer to the one before it; 1 = none.
        schedule: `cosine` down to a hundredth, or `constant`.
        warmup: Share of all steps in which the learning rate rises.
        epochs: Passes over the training images, at most.
        min_steps: Small budgets get more epochs, up to so many optimiser steps.
        batch_size: Images a step.
        clip: Largest norm of the gradient; 0 = any.
        patience: Epochs without a better validation before training ends; 0 = never ends early.
        monitor: What "better" means on the inner validation.
        ema: Decay of an exponential moving average of the weights, which is then what is
            validated and kept; 0 = none.
        label_smoothing: From 0 to below 1.
        mixup: Alpha of mixup's Beta distribution (Zhang et al. 2018); 0 = none.
        imbalance: `weights` on the loss, `oversample` rare classes, or `none`.
        augmentation: Steps that training images go through, out of `STEPS`.
        batch_norm: `trained` goes on with the statistics of each batch; `frozen` keeps those that
            the backbone came with, which small batches of few lesions cannot spoil; `auto` =
            frozen, or trained where the backbone's weights are random.
        precision: What the network computes in; `auto` = bf16 on a GPU that has it, else fp32.
    """

    optimizer: Optimizer = "adamw"
    lr: float = 1e-3
    momentum: float = 0.9
    weight_decay: float = 0.05
    layer_decay: float = 1.0
    schedule: Schedule = "cosine"
    warmup: float = 0.1
    epochs: int = 10
    min_steps: int = 250
    batch_size: int = 32
    clip: float = 1.0
    patience: int = 5
    monitor: Monitor = "balanced_accuracy"
    ema: float = 0.0
    label_smoothing: float = 0.0
    mixup: float = 0.0
    imbalance: Imbalance = "weights"
    augmentation: tuple[str, ...] = AUGMENTATIONS["medium"]
    batch_norm: BatchNorm = "auto"
    precision: Precision = "auto"

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            choices = get_args(kind)
            if all(isinstance(choice, str) for choice in choices) and choices:
                _one_of(name, getattr(self, name), choices)
        for name, (least, most) in _RANGES.items():
            _within(name, getattr(self, name), least, most)
        for step in self.augmentation:
            _one_of("augmentation", step, STEPS)

    def identity(self) -> dict[str, Any]:
        """Return, JSON-like, what decides the trained model."""
        return {**asdict(self), "augmentation": list(self.augmentation), "recipe": _CODE}

    def settled(self, *, pretrained: bool) -> Recipe:
        """Return the recipe with `batch_norm` decided, for a backbone with or without weights."""
        if self.batch_norm != "auto":
            return self
        return replace(self, batch_norm="frozen" if pretrained else "trained")


_DEFAULTS: Mapping[str, Mapping[str, object]] = {
    "head": {"lr": 5e-3, "weight_decay": 0.01, "clip": 0.0},
    "last": {"lr": 1e-3},
    "full": {"lr": 3e-4, "layer_decay": 0.9, "ema": 0.99},
    "lp-ft": {"lr": 3e-4, "layer_decay": 0.9, "ema": 0.99},
}

_ANY = float("inf")

_RANGES: Mapping[str, tuple[float, float]] = {
    "lr": (1e-12, _ANY),
    "momentum": (0, 1),
    "weight_decay": (0, _ANY),
    "layer_decay": (1e-6, 1),
    "warmup": (0, 0.9),
    "epochs": (1, _ANY),
    "min_steps": (0, _ANY),
    "batch_size": (2, _ANY),  # one image has no statistics to normalise by
    "clip": (0, _ANY),
    "patience": (0, _ANY),
    "ema": (0, 0.99999),
    "label_smoothing": (0, 0.99),
    "mixup": (0, _ANY),
}


def recipe_for(strategy: str, overrides: Mapping[str, object] | None = None) -> Recipe:
    """Return the recipe of a strategy: its defaults, where nothing else is asked for.

    Args:
        strategy: One of `STRATEGIES`.
        overrides: Fields of `Recipe` by name; `augmentation` may be a level, or steps as a
            sequence or as text with commas.

    Raises:
        UsageError: An unknown strategy or field, or a value that cannot be meant.
    """
    _one_of("strategy", strategy, STRATEGIES)
    wanted = dict(overrides or {})
    known = {field.name: field for field in fields(Recipe)}
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            raise UsageError(
                f"recipe option {name}",
                cause="there is no such option" + "".join(f"; near is {other}" for other in near),
                remedy=f"Use one of {', '.join(known)}",
            )
    if "augmentation" in wanted:
        wanted["augmentation"] = _steps(wanted["augmentation"])
    for name, value in wanted.items():
        wanted[name] = _like(name, value, getattr(Recipe(), name))
    return replace(Recipe(**_DEFAULTS[strategy]), **wanted)  # type: ignore[arg-type]


def changes(strategy: str, recipe: Recipe) -> list[str]:
    """Return `NAME=VALUE` of each field in which a recipe differs from its strategy's defaults."""
    defaults = recipe_for(strategy)
    values = {
        field.name: getattr(recipe, field.name)
        for field in fields(Recipe)
        if getattr(recipe, field.name) != getattr(defaults, field.name)
    }
    if "augmentation" in values:
        values["augmentation"] = ",".join(values["augmentation"]) or "none"
    return [f"{name}={value}" for name, value in values.items()]


def _steps(value: object) -> tuple[str, ...]:
    """Return the steps of a level, of a step, or of several of them, each once and in order."""
    named = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
    if not isinstance(named, list | tuple):
        raise _wrong_kind("augmentation", value, "level or a list of steps", "light")
    wanted: set[str] = set()
    for name in named:
        _one_of("augmentation", name, (*AUGMENTATIONS, *STEPS))
        wanted.update(AUGMENTATIONS.get(name, (name,)))
    return tuple(step for step in STEPS if step in wanted)


def _like(name: str, value: object, model: object) -> object:
    """Return a value in the type of the field's default (a TOML file writes 1 for 1.0)."""
    wrong = isinstance(value, bool) or not isinstance(value, int | float | str | tuple)
    if isinstance(model, float) and isinstance(value, int) and not wrong:
        return float(value)
    if wrong or type(value) is not type(model):
        raise _wrong_kind(name, value, _KINDS[type(model)], model)
    return value


_KINDS: Mapping[type, str] = {int: "whole number", float: "number", str: "name"}


def _wrong_kind(name: str, value: object, kind: str, example: object) -> UsageError:
    return UsageError(
        f"recipe option {name}={value!r}",
        cause=f"it takes a {kind}",
        remedy=f"Give something like {name}={example}",
    )


def _one_of(name: str, value: object, choices: tuple[str, ...]) -> None:
    if value not in choices:
        near = difflib.get_close_matches(str(value), choices, n=1)
        raise UsageError(
            f"{name} {value}",
            cause="there is no such choice" + "".join(f"; near is {other}" for other in near),
            remedy=f"Use one of {', '.join(choices)}",
        )


def _within(name: str, value: float, least: float, most: float) -> None:
    if not (least <= value <= most and math.isfinite(value)):
        bounds = f"{least:g} or more" if most == _ANY else f"from {least:g} to {most:g}"
        raise UsageError(
            f"recipe option {name}={value!r}",
            cause=f"it must be {bounds}",
            remedy=f"Give {name} a value {bounds}",
        )
