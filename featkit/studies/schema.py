"""What a study file says, checked by pydantic: unknown keys are refused, nothing is guessed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

__all__ = [
    "Arm",
    "BackboneSection",
    "DataSection",
    "DesignSection",
    "ExtractSection",
    "FinetuneSection",
    "FitSection",
    "Published",
    "ReportSection",
    "Study",
]

#: A name that becomes part of a path, and of a key such as `arms.original.fit.frozen`.
Name = Annotated[str, StringConstraints(pattern=r"^\w[\w+-]*$", max_length=60)]


def _listed(value: object) -> object:
    """Take a single value, or text with commas between, as a list: `budgets = 100`."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return [value] if isinstance(value, int | float) else value


Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]

_TAKEN = ("features", "runs")
"""Folders beside those of the arms."""

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


class DataSection(_Section):
    """The images.

    Attributes:
        spec: What `featkit extract` takes; None = it must be given with `--data`.
        expects: What a study without `spec` is made for, for the message.
        limit: About so many images, as `--limit` takes them.
        image_column: csv: column of image paths (and so the following ones).
        images: csv: folder that image paths start from.
        lesions: isic: CSV that groups images by lesion.
    """

    spec: Text | None = None
    expects: str = "a data set"
    limit: Annotated[int, Field(ge=1)] | None = None
    image_column: str | None = None
    label_column: str | None = None
    group_column: str | None = None
    id_column: str | None = None
    split_column: str | None = None
    images: str | None = None
    lesions: str | None = None


class BackboneSection(_Section):
    """A backbone, as `load_backbone` takes it.

    Attributes:
        spec: `timm:NAME` and so on.
        pooling: `avg`, `cls`, `cls+avg` or `logits`; None = the network's own.
        image_size: Side of the input in pixels; None = the network's own.
        random_weights: Start from random weights.
        normalisation: `own` of the backbone, or of the `dataset`: mean and deviation of its images.
    """

    spec: Text
    pooling: Literal["avg", "cls", "cls+avg", "logits"] | None = None
    image_size: Annotated[int, Field(ge=1)] | None = None
    random_weights: bool = False
    normalisation: Literal["own", "dataset"] = "own"


class ExtractSection(_Section):
    """How features are made, as `featkit extract` takes it."""

    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    views: Annotated[int, Field(ge=1)] = 1
    batch_size: Literal["auto"] | Annotated[int, Field(ge=1)] = "auto"


class DesignSection(_Section):
    """The design, as `featkit fit` takes it; None = the study's, or else `Design`'s own default."""

    budgets: Annotated[tuple[float, ...] | None, BeforeValidator(_listed)] = None
    draws: int | None = None
    draws_large: int | None = None
    folds: int | None = None
    use_folds: int | None = None
    split: str | None = None
    exclude_classes: Names | None = None
    duplicates: tuple[tuple[str, str], ...] | None = None
    seed: int | None = None

    def over(self, other: DesignSection) -> DesignSection:
        """Return this section, with the other's values where it has none."""
        return other.model_copy(update=self.stated())

    def stated(self) -> dict[str, Any]:
        """Return what it says, without what it leaves open."""
        return self.model_dump(exclude_none=True)


class FitSection(_Section):
    """Heads on frozen features, as `featkit fit` takes them.

    Attributes:
        views: `plain`, `all` that `extract` makes, or the first so many.
        tta: Average test predictions over views.
        backbones: Which ones; none named = all.
    """

    heads: Names = ("linear", "lightgbm", "mlp")
    imbalance: Literal["weights", "none", "oversample"] = "weights"
    views: Literal["plain", "all"] | Annotated[int, Field(ge=2)] = "plain"
    tta: bool = False
    backbones: Names = ()


class FinetuneSection(_Section):
    """Fine-tuning, as `featkit finetune` takes it.

    Attributes:
        recipe: What differs from the strategies' defaults.
        backbones: Which ones; none named = all.
    """

    strategies: Names = ("full",)
    recipe: dict[str, Any] = {}
    backbones: Names = ()


class Arm(_Section):
    """One design of the study with what is trained on it.

    Attributes:
        note: What the arm is there for.
        design: What differs from the study's design.
        fit: Sections of heads, by name.
        finetune: Sections of fine-tuning, by name.
    """

    note: str = ""
    design: DesignSection = DesignSection()
    fit: dict[Name, FitSection] = {}
    finetune: dict[Name, FinetuneSection] = {}


class ReportSection(_Section):
    """How Runs are compared and shown, as `featkit compare` and `featkit report` take it."""

    metric: str = "balanced_accuracy"
    focus: str | None = None
    pair: tuple[str, str] | None = None
    target: Annotated[float, Field(ge=0, le=1)] | None = None
    resamples: Annotated[int, Field(ge=100)] = 2000
    seed: int = 0
    feature_map: Literal["pca", "umap"] = "pca"


class Published(_Section):
    """A number that somebody published, and which Runs it is to be held against.

    Attributes:
        what: What was measured.
        metric: By which metric.
        value: From 0 to 1.
        backbone: Of this study; None = of all of them.
        section: Of an arm; None, or one that the arm has not = all of the arm's.
        budget: In percent.
        pick: `best` of the methods that are meant, or the `mean` over their backbones.
    """

    what: Text
    metric: str = "accuracy"
    value: Annotated[float, Field(ge=0, le=1)]
    backbone: str | None = None
    section: str | None = None
    budget: float = 100.0
    pick: Literal["best", "mean"] = "best"


class Study(_Section):
    """A whole study.

    Attributes:
        name: For people; the file's name where it says nothing.
        note: What is studied; for a published system what it did, its number and what differs.
        data: The images.
        backbones: By name.
        extract: How features are made.
        design: What the arms have in common.
        arms: By name.
        report: How Runs are compared and shown.
        published: Numbers to hold the result against.
    """

    name: Name
    note: str = ""
    data: DataSection = DataSection()
    backbones: Annotated[dict[Name, BackboneSection], Field(min_length=1)]
    extract: ExtractSection = ExtractSection()
    design: DesignSection = DesignSection()
    arms: Annotated[dict[Name, Arm], Field(min_length=1)]
    report: ReportSection = ReportSection()
    published: tuple[Published, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Study:
        for arm_name, arm in self.arms.items():
            if arm_name in _TAKEN:
                raise ValueError(f"arms.{arm_name}: a folder of this name holds something else")
            if not arm.fit and not arm.finetune:
                raise ValueError(f"arms.{arm_name} trains nothing: give it a fit or a finetune")
            for kind, sections in (("fit", arm.fit), ("finetune", arm.finetune)):
                for name, section in sections.items():
                    self._known(f"arms.{arm_name}.{kind}.{name}.backbones", section.backbones)
        for index, published in enumerate(self.published):
            if published.backbone is not None:
                self._known(f"published.{index}.backbone", (published.backbone,))
        return self

    def _known(self, key: str, names: tuple[str, ...]) -> None:
        for name in names:
            if name not in self.backbones:
                known = ", ".join(self.backbones)
                raise ValueError(f"{key}: {name} is none of the backbones {known}")

    def design_of(self, arm: str) -> DesignSection:
        """Return an arm's design: the study's, with what the arm changes."""
        return self.arms[arm].design.over(self.design)

    def backbones_of(self, section: FitSection | FinetuneSection) -> tuple[str, ...]:
        """Return the backbones that a section is about."""
        return section.backbones or tuple(self.backbones)
