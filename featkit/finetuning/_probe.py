"""The linear probe that lp-ft starts from: the last layer solved on frozen features."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from featkit.finetuning._network import Classifier
from featkit.heads import LinearHead

__all__ = ["set_last_layer"]


def set_last_layer(
    model: Classifier,
    features: NDArray[np.float32],
    label: NDArray[np.int16],
    group: NDArray[np.str_],
    *,
    imbalance: str,
    seed: int,
) -> dict[str, object]:
    """Set the last layer to the best linear probe, and return what the probe chose.

    The probe standardises features; its means and scales are folded into the layer.

    Args:
        model: Its last layer is set.
        features: Of the training images, shape (n, D).
        label: Their classes, shape (n,).
        group: Their lesions, shape (n,).
        imbalance: As in `LinearHead`.
        seed: Of the probe's inner folds.
    """
    head = LinearHead(
        imbalance=imbalance, inner_splits=3, random_state=seed, n_jobs=torch.get_num_threads()
    )
    head.fit(features, label, groups=group)
    weight = head.coef_ / head.scale_
    bias = head.intercept_ - weight @ head.mean_
    if len(weight) == 1:  # two classes: the logit of the second against the first
        weight, bias = np.vstack([-weight, weight]) / 2, np.append(-bias, bias) / 2
    with torch.no_grad():
        model.last.weight[head.classes_] = torch.from_numpy(weight).float()
        model.last.bias[head.classes_] = torch.from_numpy(bias).float()
    return {"probe_C": head.chosen_["C"]}
