"""From a Run to its model: the one that was kept beside it, or trained again and compared."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from featkit.errors import StoreError
from featkit.features import FeatureStore
from featkit.models import TrainedModel, is_model, models_folder
from featkit.runs import Run, RunStore
from featkit.sweep import fine_tuned, refit

__all__ = ["model_of_run"]


def model_of_run(path: Path, *, features: Sequence[Path] = ()) -> TrainedModel:
    """Return the model of a Run.

    Args:
        path: `OUT/runs/NAME.npz`, or a model's folder.
        features: The feature files that it was fitted on, and the external test file where it was
            tested on one; those that `commands.txt` names, where none is given.

    Raises:
        StoreError: The Run cannot be read, its features are not there, or training again gives
            other probabilities.
        ModelError: The model beside it is damaged.
    """
    if is_model(path):
        return TrainedModel.load(path)
    run = RunStore.read(path)
    out = path.parent.parent
    kept = models_folder(out, run.key)
    if is_model(kept):
        return TrainedModel.load(kept)
    if not run.frozen:
        raise fine_tuned(run)
    places = list(features) or _named(out)
    by_fingerprint: dict[str, FeatureStore] = {}
    for place in places:
        store = FeatureStore.open(place)
        by_fingerprint.setdefault(store.fingerprint, store)  # one file may have two names
    stores = list(by_fingerprint.values())
    mine = [store for store in stores if _is_training(store, run, stores)]
    tests = [store for store in stores if store not in mine] if run.key.test else []
    return refit(run, out / "plan.json", mine, tests=tests)


def _named(out: Path) -> list[Path]:
    """Return the feature files that the commands of a folder name.

    Raises:
        StoreError: One is not there.
    """
    commands = out / "commands.txt"
    if not commands.is_file():
        return []
    words = [
        word
        for line in commands.read_text(encoding="utf-8").splitlines()
        for word in shlex.split(line)
    ]
    found = [Path(word) for word in dict.fromkeys(words) if word.endswith((".h5", ".hdf5"))]
    missing = [place for place in found if not place.is_file()]
    if missing:
        raise StoreError(
            f"{missing[0]} is not there",
            cause=f"{commands} names it, by a path from where its command was given",
            remedy="Give the command from there, or name the feature files with --features",
        )
    return found


def _is_training(store: FeatureStore, run: Run, stores: Sequence[FeatureStore]) -> bool:
    """Tell whether a store is of the data set that the Run was trained on."""
    own = [each for each in stores if each.fingerprint == run.key.source]
    if not own:
        raise StoreError(
            f"the features of {run.name} are not there",
            cause="no feature file has the Run's fingerprint",
            remedy="Name it with --features, or fit again with --save-models",
        )
    datasets = [each.attributes.get("dataset", {}).get("fingerprint") for each in (store, own[0])]
    return bool(datasets[0] == datasets[1])
