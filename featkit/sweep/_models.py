"""Models of heads: what a fit leaves behind beside its Run, to be used."""

from __future__ import annotations

import numpy as np

from featkit.heads import Head
from featkit.models import Cases, Made, TrainedModel, model_of
from featkit.runs import Run
from featkit.sweep._origin import Origin
from featkit.sweep._task import Arrays, Task

__all__ = ["trained_model"]


def trained_model(task: Task, origin: Origin, head: Head, run: Run, arrays: Arrays) -> TrainedModel:
    """Return the model of a head that was just fitted and tested."""
    rows = task.train_rows
    cases = Cases.of(
        arrays.train[rows, 0],
        image_id=arrays.image_id[rows],
        group=arrays.group[rows],
        label=arrays.label[rows],
    )
    return model_of(
        Made(
            run=run,
            head=head,
            kind=task.head,
            backbone=origin.backbone,
            dataset=origin.dataset,
            cases=cases,
            test=np.asarray(arrays.test[task.test_rows, 0]),
            views=task.views.train,
            tta=task.views.test,
        )
    )
