"""TrainedModel: a backbone's name, a head and what is known of both, in a folder without pickle."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from numpy.typing import NDArray
from pydantic import ValidationError
from safetensors import SafetensorError

from featkit.errors import ModelError
from featkit.evaluate import Calibrator
from featkit.files import disk_errors, write_json
from featkit.fingerprints import fingerprint
from featkit.heads import Head
from featkit.heads.state import HeadState, head_of
from featkit.models._case_files import read_cases, write_cases
from featkit.models._files import MODEL, checked, damaged, listing, read
from featkit.models._schemas import SCHEMA, upgraded
from featkit.models.card import card_of
from featkit.models.cases import Cases
from featkit.models.facts import ModelFacts
from featkit.runs import RunKey

__all__ = ["TrainedModel", "is_model", "models_folder"]

_ARRAYS, _TEXT, _CARD = "head.safetensors", "head.txt", "README.md"
_NETWORK = "network"
_KEYS = {"schema", "facts", "files", "digest"}


@dataclass(frozen=True, eq=False)
class TrainedModel:
    """What a Run left behind to be used: features in, calibrated probabilities out.

    Attributes:
        facts: All that is known of it.
        head: What turns features into probabilities.
        cases: The training images; None where they are not given away.
        folder: Where it lies; None where it was never written.
    """

    facts: ModelFacts
    head: Head
    cases: Cases | None = None
    folder: Path | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of probabilities."""
        return self.facts.classes

    @property
    def backbone_spec(self) -> str:
        """What to load the backbone by: its spec, or the network inside the folder."""
        if self.facts.backbone.inside and self.folder is not None:
            return f"local-dir:{self.folder / _NETWORK}"
        return self.facts.backbone.spec

    def probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return calibrated probabilities (n, C).

        Args:
            features: (n, D), or (n, V, D) to average over V views.
        """
        return self.calibrated(self.raw_probabilities(features))

    def raw_probabilities(self, features: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the head's own probabilities (n, C), 0 for classes that it was not trained on."""
        known = self.head.predict_proba(features)
        probabilities = np.zeros((len(known), len(self.classes)))
        probabilities[:, self.head.classes_] = known
        return probabilities

    def calibrated(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return them calibrated (see `Calibrator`), or as they are where nothing was held out."""
        found = self._calibrator
        return probabilities if found is None else found(probabilities)

    @cached_property
    def _calibrator(self) -> Calibrator | None:
        found = self.facts.calibration
        return None if found.temperature is None else Calibrator(found.temperature, found.bias)

    def without_cases(self) -> TrainedModel:
        """Return the model without its training cases, and so without what they tell."""
        return replace(self, facts=self.facts.model_copy(update={"unlike": None}), cases=None)

    @cached_property
    def flagged_from(self) -> dict[str, float]:
        """From which calibrated probability on a class is flagged, by its name."""
        return {found.name: found.probability for found in self.facts.thresholds}

    def save(self, folder: Path | str, *, network: Callable[[Path], object] | None = None) -> None:
        """Write the model, whole or not at all; a model that is there is replaced.

        What else lies in a folder is never touched, whatever its files are called.

        Args:
            folder: Where. A folder that is there and no model is not touched.
            network: Writes the backbone's network into a folder in timm's format; for networks
                that cannot be had by their name.

        Raises:
            ModelError: `folder` is there and no model.
            StoreError: It cannot be written.
        """
        out = Path(folder).absolute()
        _check_place(out)
        temporary, before = (
            out.with_name(f".{out.name}.{os.getpid()}.{end}") for end in ("tmp", "old")
        )
        with disk_errors(out):
            shutil.rmtree(temporary, ignore_errors=True)
            temporary.mkdir(parents=True)
            try:
                self._write(temporary, network)
                _readable_alike(temporary)
                _exchange(out, temporary, before)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)

    def _write(self, folder: Path, network: Callable[[Path], object] | None) -> None:
        arrays, text = self.head.kept()
        if text:
            (folder / _TEXT).write_text(text, encoding="utf-8")
        else:
            plain = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
            safetensors.numpy.save_file(plain, folder / _ARRAYS)
        if self.cases is not None:
            write_cases(folder, self.cases, self.classes)
        if network is not None:
            network(folder / _NETWORK)
        (folder / _CARD).write_text(card_of(self.facts), encoding="utf-8")
        whole = {"schema": SCHEMA, "facts": self.facts.to_json(), "files": listing(folder)}
        write_json(folder / MODEL, {**whole, "digest": fingerprint(whole)})
        checked(folder, whole["files"])  # what is too large could not be read
        read(folder, MODEL)

    @classmethod
    def load(cls, folder: Path | str) -> TrainedModel:
        """Read a model, and trust nothing in it: no file of it can run code.

        Raises:
            ModelError: It is missing, damaged, changed since it was written, or of a newer
                featkit; the message says which.
        """
        place = Path(folder)
        if not (place / MODEL).is_file():
            raise ModelError(
                f"{place} is no model",
                cause=f"it has no {MODEL}" if place.exists() else "there is no such folder",
                remedy="Make one with `featkit export RUN` or `featkit fit … --save-models`",
            )
        whole = _parsed(place)
        found = checked(place, whole.get("files"))
        facts = _facts(place, whole)
        try:
            head = head_of(_head_state(place, facts, found))
        except ValueError as error:
            raise damaged(place, f"its head cannot be trusted: {error}") from error
        if facts.backbone.inside and f"{_NETWORK}/model.safetensors" not in found:
            raise damaged(place, "the network that should be inside is missing")
        if ("cases.csv" in found) != ("cases.safetensors" in found):
            raise damaged(place, "a part of its training cases is missing")
        cases = read_cases(place, facts) if "cases.csv" in found else None
        model = cls(facts, head, cases, place)
        if not np.isfinite(
            model.probabilities(np.zeros((1, head.n_features_in_), np.float32))
        ).all():
            raise damaged(place, "it gives probabilities that are no numbers")
        return model


def _check_place(out: Path) -> None:
    """Refuse a place where something other than a model lies, or more than one."""
    if not (out.exists() or out.is_symlink()):
        return
    strange = f"{out.name} is no folder"
    if out.is_dir() and not out.is_symlink():
        known = _files_of_model(out)
        files = [path.relative_to(out).as_posix() for path in out.rglob("*") if not path.is_dir()]
        others = sorted(set(files) - known)
        if known and not others:
            return
        strange = f"{others[0]} is no part of a model" if others else "the folder is no model"
    raise ModelError(
        f"cannot write the model {out}",
        cause=f"something else lies there: {strange}",
        remedy="Name another folder with --out",
    )


def _files_of_model(folder: Path) -> set[str]:
    """Return which files of a folder are a model's, none where it is no model."""
    try:
        whole = _parsed(folder)
    except ModelError:
        return set()
    files = whole.get("files")
    if set(whole) != _KEYS or not isinstance(files, dict):
        return set()
    return {MODEL, *listing(folder)}


def _exchange(out: Path, new: Path, before: Path) -> None:
    """Put a folder in the place of another one, which comes back if that fails."""
    if not out.exists():
        new.rename(out)
        return
    out.rename(before)
    try:
        new.rename(out)
    except BaseException:
        before.rename(out)
        raise
    shutil.rmtree(before, ignore_errors=True)


def _readable_alike(folder: Path) -> None:
    """Let all files be read by whom the first may be: safetensors are the owner's alone."""
    mode = (folder / MODEL).stat().st_mode
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(mode)


def is_model(folder: Path | str) -> bool:
    """Tell whether a folder looks like a model; whether it is whole `load` says."""
    return (Path(folder) / MODEL).is_file()


def models_folder(out: Path, key: RunKey) -> Path:
    """Return where the model of a Run lies below the output folder of a sweep."""
    return out / "models" / Path(key.file_name).stem


def _parsed(folder: Path) -> dict[str, Any]:
    try:
        whole = json.loads(read(folder, MODEL))
    except (ValueError, RecursionError) as error:
        raise damaged(folder, f"{MODEL} is not JSON ({error})") from error
    if not isinstance(whole, dict):
        raise damaged(folder, f"{MODEL} is not a JSON object")
    return whole


def _facts(folder: Path, whole: dict[str, Any]) -> ModelFacts:
    facts = whole.get("facts")
    if not isinstance(facts, dict):
        raise damaged(folder, f"{MODEL} says nothing of the model")
    # Before the digest, which a newer featkit may make otherwise.
    upgraded_facts = upgraded(facts, whole.get("schema"), folder)
    if set(whole) != _KEYS:
        raise damaged(folder, f"{MODEL} holds something else beside facts and files")
    rest = {name: value for name, value in whole.items() if name != "digest"}
    if whole.get("digest") != fingerprint(rest):
        raise damaged(folder, f"{MODEL} was changed after it was written")
    try:
        return ModelFacts.model_validate_json(json.dumps(upgraded_facts))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise damaged(folder, f"{MODEL}: {where}: {first['msg']}") from error


def _head_state(folder: Path, facts: ModelFacts, found: frozenset[str]) -> HeadState:
    arrays: dict[str, NDArray[Any]] = {}
    text = ""
    if _ARRAYS in found:
        try:
            arrays = safetensors.numpy.load(read(folder, _ARRAYS))
        except (SafetensorError, ValueError, KeyError) as error:
            raise ValueError(f"{_ARRAYS} cannot be read ({error})") from error
    if _TEXT in found:
        text = read(folder, _TEXT).decode("utf-8", errors="strict")
    known = facts.head
    return HeadState(
        kind=known.kind,
        options=known.options,
        classes=known.classes,
        features=facts.backbone.dimension,
        chosen=known.chosen,
        parameters=known.parameters,
        arrays=arrays,
        text=text,
    )
