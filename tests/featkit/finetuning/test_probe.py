import numpy as np
import pytest
import torch

from featkit.finetuning._network import Classifier
from featkit.finetuning._probe import set_last_layer
from featkit.heads import LinearHead


@pytest.mark.parametrize("labels", [(0, 1, 2), (0, 1), (0, 2, 3)])
@pytest.mark.parametrize("imbalance", ["weights", "none", "oversample"])
def test_the_layer_gives_the_linear_heads_probabilities(fakes, labels, imbalance):
    rng = np.random.default_rng(0)
    lesion = np.arange(60) // 2
    group = np.array([f"lesion{number}" for number in lesion])
    label = np.array(labels, dtype=np.int16)[(lesion % 7) % len(labels)]
    features = (rng.normal(size=(60, 8)) + 2 * label[:, None] * rng.normal(size=8)) * 5 + 3
    features = features.astype(np.float32)
    features[:, 3] = 7.0  # a constant column
    classes = max(labels) + 1
    model = Classifier(fakes.backbone(), classes, "lp-ft")
    chosen = set_last_layer(model, features, label, group, imbalance=imbalance, seed=3)
    head = LinearHead(imbalance=imbalance, inner_splits=3, random_state=3).fit(
        features, label, groups=group
    )
    assert chosen["probe_C"] == head.chosen_["C"]
    with torch.no_grad():
        logits = model.last(torch.from_numpy(features))[:, head.classes_]
    found = torch.softmax(logits.double(), dim=1).numpy()
    np.testing.assert_allclose(found, head.predict_proba(features), atol=1e-4)
