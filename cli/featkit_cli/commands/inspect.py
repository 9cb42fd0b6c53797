"""`featkit inspect`: what a feature file, a Run or a model says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from featkit.errors import UsageError
from featkit_cli import console
from featkit_cli.options import Json

__all__ = ["inspect"]


def inspect(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.h5|RUN.npz|MODEL", help="What to look into.")
    ],
    as_json: Json = False,
) -> None:
    """Show what a feature file, a Run or a model says of itself, and check that it is whole."""
    if file.is_dir():
        facts = _model(file)
    else:
        facts = _run(file) if file.suffix == ".npz" else _features(file)
    if as_json:
        console.print_json(facts)
        return
    out = console.stdout()
    for name, value in _flat(facts):
        out.print(f"[bold]{console.escape(name)}[/]  {console.escape(str(value))}")


def _features(file: Path) -> Mapping[str, object]:
    from featkit.features import FeatureStore, describe

    return describe(FeatureStore.open(file))


def _model(folder: Path) -> Mapping[str, object]:
    from featkit.models import TrainedModel, is_model

    if not is_model(folder):
        raise UsageError(
            f"{folder} is a folder and no model",
            cause="it has no model.json",
            remedy="Name a file, such as one in its runs/, or a folder in its models/; "
            "`featkit compare` reads whole folders",
        )
    return TrainedModel.load(folder).facts.to_json()


def _run(file: Path) -> Mapping[str, object]:
    from dataclasses import asdict

    from featkit.evaluate import METRICS
    from featkit.runs import RunStore

    run = RunStore.read(file)
    scores = {
        name: float(metric(run.test.label, run.probabilities)[0])
        for name, metric in METRICS.items()
    }
    return {
        "name": run.name,
        **asdict(run.key),
        "split": run.split,
        "test": run.test.name,
        "test_images": len(run.test.label),
        "train_lesions": run.train_lesions,
        "train_images": run.train_images,
        "scores": scores,
        "chosen": dict(run.chosen),
        "cost": asdict(run.cost),
    }


def _flat(facts: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Return nested facts as lines `outer.inner value`."""
    lines: list[tuple[str, object]] = []
    for name, value in facts.items():
        if isinstance(value, Mapping):
            lines += _flat(value, f"{prefix}{name}.")
        else:
            lines.append((prefix + name, value))
    return lines
