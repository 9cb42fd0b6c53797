"""A Plan as a JSON file that can be read, diffed and audited without featkit."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from featkit.errors import PlanError, UsageError
from featkit.files import atomic_path

if TYPE_CHECKING:
    from featkit.plans.plan import Plan

__all__ = ["read_plan", "write_plan"]

_SCHEMA = 1
"""Raise it when a reader of this version could misread the file; keep the old reader."""

_MAKE_AGAIN = "Delete it and make the plan again; `featkit fit` does so and keeps finished Runs"

_COLUMNS = ["image_id", "class (null: takes no part)", "lesion", "test fold (-1: never tested)"]


def write_plan(path: Path, plan: Plan, chosen: Iterable[tuple[int, int]]) -> None:
    """Write a Plan, one line for each image and for each class's order of training lesions.

    Args:
        path: Where.
        plan: The Plan.
        chosen: The (fold, draw) whose training orders are written out.

    Raises:
        StoreError: The file cannot be written.
    """
    design = {
        "split": plan.split,
        "folds": plan.folds,
        "seed": plan.seed,
        "classes": list(plan.classes),
        "dropped": plan.dropped,
    }
    parts = {
        "schema": _dump(_SCHEMA),
        "fingerprint": _dump(plan.fingerprint),
        "design": _dump(design),
        "columns": _dump(_COLUMNS),
        "images": _lines(_images(plan)),
        "training_order": _lines(_orders(plan, chosen)),
    }
    body = ",\n".join(f"{_dump(key)}: {value}" for key, value in parts.items())
    with atomic_path(path) as temporary:
        temporary.write_text(f"{{\n{body}\n}}\n", encoding="utf-8")


def read_plan(path: Path, kind: type[Plan]) -> Plan:
    """Read a Plan, check its fingerprint, its training orders and what it promises.

    Raises:
        PlanError: There is no such file, or it is damaged, edited, or of a newer featkit.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        schema = content["schema"]
    except OSError as error:
        _refuse(path, error.strerror or str(error), "Check the path")
    except (ValueError, KeyError, TypeError):
        _refuse(path, "the file is damaged or no plan", _MAKE_AGAIN)
    if schema != _SCHEMA:
        _refuse(path, f"schema {schema} is unknown to this version", "Upgrade featkit")
    try:
        plan = _build(content, kind)
        stored = [(item["fold"], item["draw"]) for item in content["training_order"]]
        orders = list(_orders(plan, dict.fromkeys(stored)))
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, UsageError):
        _refuse(path, "the file is damaged", _MAKE_AGAIN)
    if plan.fingerprint != content["fingerprint"] or orders != content["training_order"]:
        _refuse(path, "the file was edited after it was made", "Restore it, or make a new plan")
    plan.check()
    return plan


def _build(content: dict[str, Any], kind: type[Plan]) -> Plan:
    design = content["design"]
    number = {name: index for index, name in enumerate(design["classes"])} | {None: -1}
    image_id, classes, group, fold = zip(*content["images"], strict=True)
    return kind(
        image_id=np.array(image_id, dtype=np.str_),
        label=np.array([number[name] for name in classes], dtype=np.int16),
        group=np.array(group, dtype=np.str_),
        classes=tuple(design["classes"]),
        split=design["split"],
        seed=design["seed"],
        folds=design["folds"],
        fold_of=np.array(fold, dtype=np.int16),
        dropped=design["dropped"],
    )


def _images(plan: Plan) -> Iterator[list[object]]:
    columns = (plan.image_id.tolist(), plan.label, plan.group.tolist(), plan.fold_of.tolist())
    for image_id, label, group, fold in zip(*columns, strict=True):
        yield [image_id, plan.classes[label] if label >= 0 else None, group, fold]


def _orders(plan: Plan, chosen: Iterable[tuple[int, int]]) -> Iterator[dict[str, object]]:
    for fold, draw in chosen:
        for name, units in zip(plan.classes, plan.training_order(fold, draw), strict=True):
            lesions = plan.units.name[units].tolist()
            yield {"fold": fold, "draw": draw, "class": name, "lesions": lesions}


def _lines(items: Iterable[object]) -> str:
    return "[\n" + ",\n".join(f" {_dump(item)}" for item in items) + "\n]"


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _refuse(path: Path, cause: str, remedy: str) -> NoReturn:
    raise PlanError(f"cannot read the plan {path}", cause=cause, remedy=remedy) from None
