"""Values that other rooms know best, checked before anything is begun."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from featkit.data import CsvColumns
from featkit.errors import FeatkitError, UsageError
from featkit.evaluate import find_metric
from featkit.experiment import Design
from featkit.heads import find_head
from featkit.studies.schema import Arm, DataSection, DesignSection, Study

__all__ = ["check_values", "columns_of", "design_of"]

_SPLITS = ("grouped", "random", "official", "single-image-test")
"""Those that people choose; the Plan has more, for measuring leakage."""


def design_of(section: DesignSection) -> Design:
    """Return the Design that a section describes.

    Raises:
        UsageError: A value that cannot be meant.
    """
    return replace(Design(), **section.stated())


def columns_of(section: DataSection) -> CsvColumns | None:
    """Return the columns that a section names; None where it names none.

    Raises:
        UsageError: It names some, but not those of images and labels.
    """
    return CsvColumns.stated(
        image=section.image_column,
        label=section.label_column,
        group=section.group_column,
        id=section.id_column,
        split=section.split_column,
        root=section.images,
    )


def check_values(study: Study) -> None:
    """Refuse values that would fail later, naming their key.

    Raises:
        UsageError: A design, head, recipe or metric that cannot be meant.
    """
    with _at("data"):
        columns_of(study.data)
    with _at("report.metric"):
        find_metric(study.report.metric)
    if study.report.pair is not None:
        frozen, tuned = study.report.pair
        with _at("report.pair"):
            find_head(frozen.split("+")[0])
            _one_of("method", tuned, _strategies())
    for index, published in enumerate(study.published):
        with _at(f"published.{index}.metric"):
            find_metric(published.metric)
    for name, arm in study.arms.items():
        with _at(f"arms.{name}.design"):
            design = design_of(study.design_of(name))
            _one_of("split", design.split, _SPLITS)
        _check_sections(name, arm, views=study.extract.views)


def _check_sections(arm_name: str, arm: Arm, *, views: int) -> None:
    for name, fit in arm.fit.items():
        key = f"arms.{arm_name}.fit.{name}"
        with _at(f"{key}.heads"):
            for head in fit.heads:
                find_head(head)
        needed = fit.views if isinstance(fit.views, int) else 2
        if (fit.views != "plain" or fit.tta) and views < needed:
            raise UsageError(
                f"{key}: views {fit.views}{' with tta' if fit.tta else ''}",
                cause=f"extract.views is {views}",
                remedy=f"Set extract.views to {max(5, needed)}",
            )
    for name, finetune in arm.finetune.items():
        from featkit.finetuning.recipe import recipe_for  # brings torch with it

        with _at(f"arms.{arm_name}.finetune.{name}"):
            for strategy in finetune.strategies:
                recipe_for(strategy, finetune.recipe)


def _strategies() -> tuple[str, ...]:
    from featkit.finetuning.recipe import STRATEGIES  # brings torch with it

    return tuple(f"finetune-{name}" for name in STRATEGIES)


def _one_of(what: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise UsageError(
            f"{what} {value}",
            cause="there is no such choice",
            remedy=f"Use one of {', '.join(choices)}",
        )


@contextmanager
def _at(key: str) -> Iterator[None]:
    """Name the key of the study in whatever goes wrong."""
    try:
        yield
    except FeatkitError as error:
        raise UsageError(f"{key}: {error.what}", cause=error.cause, remedy=error.remedy) from error
