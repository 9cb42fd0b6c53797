"""RunStore: a folder of Runs, one file each, written whole or not at all."""

from __future__ import annotations

import json
import re
import tokenize
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from featkit.errors import StoreError
from featkit.files import atomic_path
from featkit.runs.run import Cost, HeldOut, Run, RunKey, TestSet

__all__ = ["RunStore", "filled_store"]

#: Raise when a reader of today could misread the file; keep the readers of retired versions.
SCHEMA = 2

#: What NumPy, zipfile and json raise on damaged bytes.
_UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    EOFError,
    RuntimeError,
    SyntaxError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


class RunStore:
    """The Runs below a folder: `FOLDER/runs/*.npz`, NumPy arrays and JSON, no pickle.

    Args:
        folder: The output folder of `featkit fit`; need not exist yet.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs = folder / "runs"

    def path(self, key: RunKey) -> Path:
        """Return the file of the Run with this key."""
        return self._runs / key.file_name

    def find(self, key: RunKey) -> Run | None:
        """Return the Run with this key, or None where it is missing or unreadable."""
        path = self.path(key)
        run = _readable(path) if path.exists() else None
        return run if run and run.key.digest == key.digest else None

    def save(self, run: Run) -> None:
        """Write the Run under its own name.

        Raises:
            StoreError: The disk is full or the folder cannot be written.
        """
        facts = {
            "schema": SCHEMA,
            "key": asdict(run.key),
            "classes": run.classes,
            "test": run.test.name,
            "train_lesions": run.train_lesions,
            "train_images": run.train_images,
            "cost": asdict(run.cost),
            "chosen": dict(run.chosen),
            "split": run.split,
            "frozen": run.frozen,
            "versions": dict(run.versions),
            "inputs": dict(run.inputs),
        }
        with atomic_path(self.path(run.key)) as temporary, temporary.open("wb") as handle:
            arrays = {
                "facts": np.array(json.dumps(facts)),
                "image_id": run.test.image_id,
                "group": run.test.group,
                "label": run.test.label,
                "probabilities": run.probabilities,
                **_held_out_arrays(run.held_out),
            }
            np.savez_compressed(handle, **arrays)  # type: ignore[arg-type]  # NumPy's stubs

    def any_run(self) -> Run | None:
        """Return a readable Run, or None where there is none."""
        return next(filter(None, map(_readable, self.paths())), None)

    def folds_and_draws(self) -> tuple[int, int]:
        """Return how many folds and draws the Runs are of, by the names of their files."""
        found = [re.search(r"-f(\d+)-b[\d.e+-]+-d(\d+)-", path.name) for path in self.paths()]
        cells = [(int(cell[1]) + 1, int(cell[2]) + 1) for cell in found if cell]
        return max((fold for fold, _ in cells), default=0), max((d for _, d in cells), default=0)

    def paths(self) -> list[Path]:
        """Return the files of all Runs, in the order of their names."""
        return sorted(self._runs.glob("*.npz"))

    def __iter__(self) -> Iterator[Run]:
        """Yield every Run, in the order of the file names.

        Raises:
            StoreError: A file is damaged or of a newer featkit.
        """
        for path in self.paths():
            yield self.read(path)

    @staticmethod
    def read(path: Path) -> Run:
        """Return the Run in a file.

        Raises:
            StoreError: The file is missing, damaged, or of a newer featkit.
        """
        if not path.exists():
            raise StoreError(
                f"{path} does not exist", cause="no such file", remedy="Check the path"
            )
        try:
            return _read(path)
        except _UNREADABLE as error:
            raise StoreError(
                f"cannot read the Run {path}",
                cause="the file is damaged or incomplete",
                remedy="Delete it and give the command that made it again",
            ) from error


def filled_store(folder: Path) -> RunStore:
    """Return the store of a folder that holds Runs.

    Raises:
        StoreError: It holds none.
    """
    store = RunStore(folder)
    if not store.paths():
        raise StoreError(
            f"no Runs in {folder}",
            cause="it is not the --out of `featkit fit` or `featkit finetune`, or nothing was "
            "trained yet",
            remedy="Run `featkit fit` first",
        )
    return store


def _held_out_arrays(held_out: HeldOut | None) -> dict[str, NDArray[Any]]:
    if held_out is None:
        return {}
    return {
        "held_out_label": held_out.label,
        "held_out_probabilities": held_out.probabilities,
    }


def _held_out(arrays: Mapping[str, NDArray[Any]]) -> HeldOut | None:
    if "held_out_label" not in arrays:
        return None
    return HeldOut(arrays["held_out_label"], arrays["held_out_probabilities"])


def _readable(path: Path) -> Run | None:
    try:
        return _read(path)
    except _UNREADABLE:
        return None


def _read(path: Path) -> Run:
    with np.load(path, allow_pickle=False) as arrays:
        facts: dict[str, Any] = json.loads(str(arrays["facts"]))
        if facts["schema"] > SCHEMA:
            raise StoreError(
                f"{path} has schema {facts['schema']}",
                cause=f"a newer featkit wrote it, this one reads up to {SCHEMA}",
                remedy="Update featkit",
            )
        test = TestSet(facts["test"], arrays["image_id"], arrays["group"], arrays["label"])
        probabilities = arrays["probabilities"]
        held_out = _held_out(arrays)
    if probabilities.shape != (len(test.label), len(facts["classes"])):
        raise ValueError("probabilities do not match the test set")
    return Run(
        key=RunKey(**facts["key"]),
        classes=tuple(facts["classes"]),
        test=test,
        probabilities=probabilities,
        train_lesions=facts["train_lesions"],
        train_images=facts["train_images"],
        cost=Cost(**facts["cost"]),
        chosen=facts["chosen"],
        split=facts["split"],
        frozen=facts.get("frozen", True),  # schema 1 knew nothing else
        held_out=held_out,
        versions=facts.get("versions", {}),
        inputs=facts.get("inputs", {}),
    )
