"""What the server says, as OpenAPI describes it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from featkit.serving.refusals import Refusal

__all__ = [
    "AboutModel",
    "Answer",
    "AnswerBody",
    "Health",
    "HeatMap",
    "NearCase",
    "Strangeness",
    "Takes",
]

_RESEARCH = "For research. No medical device: not for decisions about patients."


class Health(BaseModel):
    """Whether the server can answer."""

    status: str = Field(examples=["ok"])


class Takes(BaseModel):
    """What the server takes, and no more."""

    megabytes: float = Field(description="Of a request")
    megapixels: float = Field(description="Of an image")
    images: int = Field(description="In a request")
    seconds: float = Field(description="Until a request is answered, whatever the answer")


class AboutModel(BaseModel):
    """What is known of the model."""

    name: str
    classes: list[str]
    backbone: str
    calibrated: bool
    calibration: str = Field(description="What the probabilities mean, in a sentence")
    unlike_from: float = Field(description="From where on an image is marked as unlike")
    false_alarms: str = Field(description="How often images of the same kind are marked")
    decides: str = Field(description="What decisions are, in a sentence")
    balanced_accuracy: str = Field(description="Of decisions, on test images")
    thresholds: dict[str, float] = Field(description="From where on a class is marked")
    marks: str = Field(description="Where classes are marked, in a sentence; may be empty")
    heat: str = Field(description="How heat maps are made")
    heat_is_slow: bool = Field(description="Whether maps take seconds: better asked for later")
    notice: str = _RESEARCH
    limits: list[str] = Field(description="What the model is not for, and what is not known")
    takes: Takes


class Strangeness(BaseModel):
    """How unlike the training data an image is."""

    score: float = Field(ge=0, le=1, description="Share of training lesions that are less strange")
    marked: bool


class NearCase(BaseModel):
    """A training image that is similar."""

    image_id: str
    diagnosis: str
    similarity: float = Field(ge=-1.001, le=1.001)
    thumbnail: str | None = Field(description="Where a small picture is; null without a folder")


class HeatMap(BaseModel):
    """Which parts of the image speak for a class."""

    label: str = Field(description="The class")
    way: str = Field(description="How the map was made")
    exact: bool = Field(description="Whether it adds up to what the model computes")
    values: list[list[float]] = Field(description="Rows of places, from the top; negative against")
    seen: tuple[float, float, float, float] = Field(
        description="What the map covers: left, top, right, bottom as shares of the image"
    )


class Answer(BaseModel):
    """What the model says of one image."""

    name: str = Field(description="The file's name, as it was sent")
    error: Refusal | None = Field(default=None, description="Why nothing is said of it")
    width: int | None = Field(default=None, description="Of the upright image, in pixels")
    height: int | None = Field(default=None, description="Of the upright image, in pixels")
    top: str | None = Field(default=None, description="The most probable class")
    decision: str | None = Field(
        default=None,
        description="What the head decides, as it was scored: see `decides` of the model",
    )
    probabilities: dict[str, float] | None = None
    above_threshold: list[str] | None = None
    unlike: Strangeness | None = None
    cases: list[NearCase] | None = None
    heat: HeatMap | None = None
    preview: str | None = Field(
        default=None,
        description="The upright image as a small JPEG, in a data URL: what a heat map lies over",
    )


class AnswerBody(BaseModel):
    """What the model says of each image, in the order in which they came."""

    model: str
    notice: str = _RESEARCH
    images: list[Answer]
