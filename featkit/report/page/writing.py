"""write_page: one HTML file that says everything that the Runs say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from featkit.comparison import Analysis, Leakage, analyse, compare, gather, measure_leakage
from featkit.comparison.images import read_images
from featkit.features import FeatureStore
from featkit.files import atomic_path
from featkit.plans import Plan, leaks
from featkit.progress import Progress
from featkit.report.page._calibration import calibration_section
from featkit.report.page._confusion import confusion_section
from featkit.report.page._cost import cost_section
from featkit.report.page._design import design_section
from featkit.report.page._facts import facts
from featkit.report.page._frozen import frozen_section
from featkit.report.page._labels import labels_section
from featkit.report.page._leakage import leakage_folder, leakage_section
from featkit.report.page._learning import learning_section
from featkit.report.page._map import check_map, map_section
from featkit.report.page._mistakes import mistakes_section, shown_images
from featkit.report.page._recall import recall_section
from featkit.report.page._stores import find_stores
from featkit.report.page._subgroups import subgroups_section
from featkit.report.page._thumbnails import thumbnails
from featkit.report.page.contents import Contents
from featkit.report.page.parts import Page, Section
from featkit.report.page.rendering import render

__all__ = ["write_page"]

_LEAK = (
    "Random split: photographs of one lesion stand on both sides of it, so every score on this "
    "page is too high."
)


def write_page(
    folders: Sequence[Path | str] | Path | str,
    out: Path | str,
    *,
    analysis: Analysis | None = None,
    metric: str = "balanced_accuracy",
    reference: str | None = None,
    pair: tuple[str, str] | None = None,
    target: float | None = None,
    focus: str | None = None,
    resamples: int = 2000,
    seed: int = 0,
    features: Sequence[Path | str] = (),
    feature_map: str = "pca",
    thumbnails_of: str | None = None,
    progress: Progress | None = None,
) -> Path:
    """Write a report on all Runs below the folders as one HTML file that loads nothing.

    The same Runs and options give the same bytes.

    Args:
        folders: Output folders of `fit` and `finetune`.
        out: The file; `.html` by custom.
        analysis: What `analyse` found in these Runs; None = found now, by the options from `metric`
            to `seed`.
        metric: Decides curves, differences and ranks.
        reference: Row that the others are compared with; None = the best at the largest budget.
        pair: Methods of the declared pair, frozen and fine-tuned (see `analyse`).
        target: Score to count lesions for; None = the best row's at the largest budget.
        focus: Class whose sensitivity at 95% specificity is reported; None = melanoma, where
            the data set has it.
        resamples: Bootstrap resamples of the intervals.
        seed: Of the bootstrap.
        features: Feature files to map; none = those that the Runs name, where they lie in or
            beside the folders.
        feature_map: `pca` or `umap` (needs umap-learn).
        thumbnails_of: Data set whose images the mistakes are shown with; None = ids only.
        progress: Told of every finished step.

    Returns:
        The path of the file.

    Raises:
        StoreError: A folder holds no Runs, a file cannot be read, or `out` cannot be written.
        PlanError: The Runs were made on different Plans or test sets.
        DataError: The data set of the thumbnails cannot be read, or is another one.
        UsageError: An impossible option.
    """
    check_map(feature_map)
    places = [Path(item) for item in ([folders] if isinstance(folders, Path | str) else folders)]
    grid = gather(places)
    stores = find_stores(grid, places, [Path(path) for path in features])
    if analysis is None:
        comparison = compare(
            grid,
            metric=metric,
            reference=reference,
            focus=focus,
            resamples=resamples,
            seed=seed,
            progress=progress,
        )
        images = read_images(places) or _images_of(stores)
        analysis = analyse(
            grid, comparison, pair=pair, target=target, images=images, progress=progress
        )
    found = analysis.comparison
    contents = Contents(
        folders=places,
        grid=grid,
        analysis=analysis,
        plan=_plan(places),
        stores=stores,
        leakage=_leakage(places, resamples=found.resamples, seed=found.seed, progress=progress),
    )
    if thumbnails_of is not None:
        pictures = thumbnails(thumbnails_of, shown_images(contents))
        contents = replace(contents, thumbnails=pictures)
    html = render(_page(contents, feature_map))
    path = Path(out)
    with atomic_path(path) as temporary:
        temporary.write_text(html, encoding="utf-8")
    return path


def _page(contents: Contents, feature_map: str) -> Page:
    headline = contents.analysis.headline
    backbones = ", ".join(contents.look.backbones)
    return Page(
        title=f"featkit report: {backbones}",
        question=headline.question,
        answer=headline.answer,
        caveats=(*headline.details, *headline.caveats),
        warning=_LEAK if leaks(contents.comparison.split) else "",
        facts=list(facts(contents)),
        sections=list(_sections(contents, feature_map)),
        foot="Made by featkit from the Runs alone. Intervals are 95%.",
    )


def _sections(contents: Contents, feature_map: str) -> Iterator[Section]:
    yield learning_section(contents)
    yield frozen_section(contents)
    yield cost_section(contents)
    yield recall_section(contents)
    yield confusion_section(contents)
    yield calibration_section(contents)
    yield subgroups_section(contents)
    yield mistakes_section(contents)
    yield map_section(contents.stores, kind=feature_map)
    yield labels_section(contents)
    yield from leakage_section(contents)
    yield design_section(contents)


def _plan(folders: Sequence[Path]) -> Plan | None:
    found = [path for path in (folder / "plan.json" for folder in folders) if path.exists()]
    return Plan.load(found[0]) if found else None


def _leakage(
    folders: Sequence[Path], *, resamples: int, seed: int, progress: Progress | None
) -> Leakage | None:
    place = leakage_folder(folders)
    if place is None:
        return None
    return measure_leakage(place, folders, resamples=resamples, seed=seed, progress=progress)


def _images_of(stores: Sequence[FeatureStore]) -> dict[str, Mapping[str, str]]:
    """Return the metadata of each image by its id, from the feature files of older folders."""
    found: dict[str, Mapping[str, str]] = {}
    for store in stores:
        for row, image_id in enumerate(store.image_id.tolist()):
            facts_of = {name: str(column[row]) for name, column in store.metadata.items()}
            found.setdefault(image_id, facts_of)
    return found
