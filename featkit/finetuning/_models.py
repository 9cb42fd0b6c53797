"""Models of fine-tuned networks: the network in timm's format, its last layer as the head."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.backbones import Backbone, load_backbone
from featkit.experiment import ImageTable
from featkit.finetuning._export import save_model
from featkit.finetuning._feed import Feed
from featkit.finetuning._network import Classifier
from featkit.finetuning._task import Task
from featkit.heads import Head
from featkit.heads.state import HeadState, head_of
from featkit.models import Cases, Made, backbone_facts, model_of
from featkit.runs import Run

__all__ = ["Material", "keep_model", "material_of"]


@dataclass(frozen=True, eq=False)
class Material:
    """What a model needs beside network and Run; computed by all processes together.

    Attributes:
        train: Features of the images that were seen, shape (n, D).
        test: Features of the test images, shape (m, D).
    """

    train: NDArray[np.float32]
    test: NDArray[np.float32]


def material_of(task: Task, model: Classifier, feed: Feed, test_feed: Feed) -> Material:
    """Return the features of training and test images through a fine-tuned network."""
    return Material(
        train=feed.outputs(model.network, task.rows[task.seen]),
        test=test_feed.outputs(model.network, task.test_rows),
    )


def keep_model(
    folder: Path,
    *,
    task: Task,
    run: Run,
    model: Classifier,
    backbone: Backbone,
    material: Material,
    table: ImageTable,
    dataset: tuple[str, str],
    trained_on: Sequence[str],
) -> None:
    """Write the model of a Run.

    Args:
        folder: Where; a model that is there is replaced.
        task: What the Run was made by.
        run: The Run.
        model: The trained network.
        backbone: What it was made from.
        material: Its features.
        table: The images of the Plan.
        dataset: The data set's name and fingerprint.
        trained_on: Hashes of pixels and files of all images that it has seen with their labels.

    Raises:
        BackboneError: timm's network gives other logits.
        StoreError: The folder cannot be written.
    """
    network = folder.with_name(f".{folder.name}.network")
    note = f"{run.name} at {run.key.budget:g}% of the labels; featkit Run {folder.name}"
    try:
        save_model(model, backbone, run.classes, network, note=note, trained_on=trained_on)
        side = backbone.preprocessing.crop[0]
        again = load_backbone(f"local-dir:{network}", image_size=side)
        seen = task.seen
        made = Made(
            run=run,
            head=_last_layer(model, run.classes),
            kind="linear",
            backbone=backbone_facts(
                again, spec=backbone.spec, precision=str(run.key.config["computed_in"]), inside=True
            ),
            dataset=dataset,
            cases=Cases.of(
                material.train,
                image_id=table.image_id[seen],
                group=table.group[seen],
                label=table.label[seen],
            ),
            test=material.test,
        )
        model_of(made).save(folder, network=network.rename)
    finally:
        shutil.rmtree(network, ignore_errors=True)


def _last_layer(model: Classifier, classes: Sequence[str]) -> Head:
    """Return the network's last layer as a linear head."""
    with torch.no_grad():
        weight = model.last.weight.float().cpu().numpy()
        bias = model.last.bias.float().cpu().numpy()
    if len(classes) == 2:  # a linear head of two classes has the odds of the second
        weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
    columns = weight.shape[1]
    return head_of(
        HeadState(
            kind="linear",
            options={},
            classes=tuple(range(len(classes))),
            features=columns,
            parameters=model.trained(),
            arrays={
                "coef_": weight,
                "intercept_": bias,
                "mean_": np.zeros(columns, np.float32),
                "scale_": np.ones(columns, np.float32),
            },
        )
    )
