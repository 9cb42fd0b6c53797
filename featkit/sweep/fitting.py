"""fit: heads × budgets × draws × folds × feature files, in parallel, resumable by Run."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from types import MappingProxyType

from featkit.errors import UsageError
from featkit.experiment import (
    Board,
    Design,
    ExperimentFolder,
    Score,
    plan_of,
    refuse_seen,
    score_of,
)
from featkit.features import FeatureStore
from featkit.fingerprints import stable_order
from featkit.hardware.devices import resolve_device
from featkit.heads import HEADS, make_head
from featkit.models import is_model, models_folder
from featkit.plans import Plan
from featkit.progress import NoProgress, Progress
from featkit.runs import RunStore
from featkit.sweep._external import external_of
from featkit.sweep._local import local_scores
from featkit.sweep._origin import origin_of
from featkit.sweep._ray import ray_scores
from featkit.sweep._shares import Share
from featkit.sweep._tables import read_table
from featkit.sweep._task import Task, bundles
from featkit.sweep._views import ViewChoice, check_choice, choose_views

__all__ = ["Sweep", "fit"]


@dataclass(frozen=True)
class Sweep:
    """What `fit` leaves behind.

    Attributes:
        folder: Holds `runs/`, `plan.json` and `results.csv`.
        plan: The design's folds and draws.
        trained: Number of Runs made now.
        reused: Number of Runs that were there already.
    """

    folder: Path
    plan: Plan
    trained: int
    reused: int


def fit(
    stores: Sequence[FeatureStore],
    out: Path | str,
    *,
    heads: Sequence[str] = HEADS.own,
    imbalance: str = "weights",
    views: ViewChoice = "plain",
    tta: bool = False,
    design: Design | None = None,
    tests: Sequence[FeatureStore] = (),
    jobs: int | None = None,
    device: str = "cpu",
    engine: str = "local",
    save_models: bool = False,
    progress: Progress | None = None,
) -> Sweep:
    """Train every head at every budget on every store, and write one Run for each.

    Runs that `out` holds already are kept: the same call continues interrupted work, and a call
    with more budgets, draws, heads or stores adds to it.

    Args:
        stores: Feature files of one data set, one for each backbone.
        out: Output folder.
        heads: Names in `HEADS`; by default featkit's own.
        imbalance: What is done about rare classes: `weights`, `none` or `oversample`.
        views: The stored views of each image that heads are trained on: `plain` for the unchanged
            image, `all`, or the first so many.
        tta: Average test predictions over as many views; over all, where `views` is `plain`.
        design: On what to train and test; the default design where None.
        tests: Feature files of another data set, one for each backbone in `stores`: train as
            before and test on these images (external validation).
        jobs: Fits at a time; None = one for each core.
        device: Where heads that can use another device than the CPU are trained: `cpu`, `auto`,
            `cuda`, `cuda:N` or `mps`.
        engine: `local`, or `ray` for the cluster that RAY_ADDRESS names (for this machine where it
            names none).
        save_models: Keep every Run's head as a model under `models/` (see `TrainedModel`). A Run
            that is there without its model is made again.
        progress: Told of every finished Run.

    Raises:
        StoreError: The stores do not fit together, hold too few views, or do not say what models
            would need; `out` cannot be written.
        DataError: No image takes part; the external test set does not fit.
        PlanError: The data cannot support the design; `out` holds Runs of another Plan or test set.
        UsageError: An impossible option.
        PluginError: A head that another distribution adds does not work.
    """
    design, heads = design or Design(), _checked(heads, imbalance)
    if engine not in _SCORES:
        raise UsageError(
            f"--engine {engine}", cause="there is no such engine", remedy="Use local or ray"
        )
    check_choice(views)
    if engine == "local":
        resolve_device(device)
    table = read_table(stores, exclude_classes=design.exclude_classes)
    choices = [choose_views(store, views, tta=tta) for store in table.stores]
    plan = plan_of(table.images, design)
    shares = [
        Share(
            table=table,
            index=index,
            plan=plan,
            design=design,
            heads=heads,
            imbalance=imbalance,
            views=chosen,
            external=external_of(table, index, tests, views=chosen.test) if tests else None,
            origin=origin_of(table.stores[index]) if save_models else None,
        )
        for index, chosen in enumerate(choices)
    ]
    for share in shares:
        store = table.stores[share.index]
        refuse_seen(
            plan,
            design,
            store.image_hash[table.rows],
            store.trained_on,
            backbone=store.backbone_name,
            external=share.external.images if share.external else None,
        )
    external = shares[0].external
    folder = ExperimentFolder(Path(out))
    board = Board(progress or NoProgress())
    with folder.opened(
        plan,
        design,
        test=external.test if external else None,
        images=external.images if external else table.images,
        command=_words(stores, tests, heads, imbalance, views, tta=tta, save_models=save_models),
    ) as runs:
        todo = [_open_bundles(share, runs, board) for share in shares]
        trained = sum(len(tasks) for work in todo for tasks in work)
        board.start("fit", to_come=trained)
        # Absolute, since joblib's processes stay in the folder that they began in.
        place = runs.folder.absolute()
        make = _SCORES[engine]
        with closing(make(shares, todo, place, jobs=jobs, device=device)) as made:
            for score in chain.from_iterable(made):
                board.show(score)
        board.finish()
    return Sweep(runs.folder, plan, trained=trained, reused=board.shown - trained)


def _words(
    stores: Sequence[FeatureStore],
    tests: Sequence[FeatureStore],
    heads: Sequence[str],
    imbalance: str,
    views: ViewChoice,
    *,
    tta: bool,
    save_models: bool,
) -> list[str]:
    """Return the command line of this fit but for its design."""
    words = ["fit", *(str(store.path) for store in stores)]
    for store in tests:
        words += ["--test", str(store.path)]
    for head in heads:
        words += ["--head", head]
    words += ["--imbalance", imbalance, "--views", str(views)]
    words += ["--tta"] if tta else []
    return [*words, "--save-models"] if save_models else words


def _checked(heads: Sequence[str], imbalance: str) -> tuple[str, ...]:
    """Return each head's name once.

    Raises:
        UsageError: There is none, or an option that cannot be meant.
    """
    names = tuple(dict.fromkeys([heads] if isinstance(heads, str) else heads))
    for name in names:
        make_head(name, imbalance=imbalance).check_options()
    if not names:
        raise UsageError("no head was chosen", cause="--head is empty", remedy="Give --head linear")
    return names


def _open_bundles(share: Share, store: RunStore, board: Board) -> list[list[Task]]:
    """Return the tasks without a Run, bundled, in an order that mixes quick and slow ones.

    A mixed order keeps the rate, and so the time left, honest from the start.
    """
    tasks = []
    for task in share.tasks():
        run = store.find(task.key)
        unsaved = share.origin is not None and not is_model(models_folder(store.folder, task.key))
        if run is None or unsaved:
            tasks.append(task)
        else:
            board.add(score_of(run))
    found = bundles(tasks)
    return [found[index] for index in stable_order(bundle[0].key.digest for bundle in found)]


_SCORES: Mapping[str, Callable[..., Generator[list[Score]]]] = MappingProxyType(
    {"local": local_scores, "ray": ray_scores}
)
"""What trains, by engine."""
