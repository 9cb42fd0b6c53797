import numpy as np
import pytest
import torch
from torch import nn

from featkit.errors import UsageError
from featkit.heads import MLPHead, TrainingSet, fit_together


def torch_network(head):
    """The head's network in torch's own modules."""
    into, out = torch.from_numpy(head.hidden_coef_), torch.from_numpy(head.coef_)
    network = nn.Sequential(nn.Linear(*into.shape), nn.ReLU(), nn.Linear(*out.shape))
    with torch.no_grad():
        network[0].weight[:] = into.T
        network[0].bias[:] = torch.from_numpy(head.hidden_intercept_)
        network[2].weight[:] = out.T
        network[2].bias[:] = torch.from_numpy(head.intercept_)
    return network


def test_prediction_is_that_of_a_torch_network(make_lesions):
    X, y, groups = make_lesions()
    head = MLPHead(hidden=16, max_epochs=5).fit(X, y, groups)
    with torch.no_grad():
        scores = torch_network(head)(torch.from_numpy((X - head.mean_) / head.scale_))
    np.testing.assert_allclose(head.predict_proba(X), scores.softmax(dim=1), atol=1e-5)


def alone_and_together(samples, **options):
    """Heads of seeds 0, 1, ... fitted each for itself, and in one go."""
    alone, together = (
        [MLPHead(random_state=seed, **options) for seed in range(len(samples))] for _ in range(2)
    )
    for head, (X, y, groups) in zip(alone, samples, strict=True):
        head.fit(X, y, groups)
    fit_together(together, [TrainingSet(*sample) for sample in samples])
    return alone, together


@pytest.mark.parametrize(
    "lesions",
    [
        [(24, 8, 4), (40, 16, 8), (9, 5, 3)],
        [(24, 8, 4), (24, 8), (1, 1, 1), (12, 9)],
    ],
    ids=["other sizes and steps", "other classes, no inner split"],
)
def test_heads_fitted_together_are_those_fitted_alone(make_lesions, lesions):
    samples = [make_lesions(counts, seed=seed) for seed, counts in enumerate(lesions)]
    options = {"hidden": 8, "max_epochs": 40, "learning_rate": 1e-2, "patience": 5}
    alone, together = alone_and_together(samples, batch_size=16, **options)
    for one, other, (X, _, _) in zip(alone, together, samples, strict=True):
        assert other.chosen_["epochs"] == one.chosen_["epochs"]
        np.testing.assert_allclose(
            other.chosen_.get("losses", []), one.chosen_.get("losses", []), rtol=1e-4
        )
        np.testing.assert_allclose(other.predict_proba(X), one.predict_proba(X), atol=1e-4)
        if one.held_out_ is None:
            assert other.held_out_ is None
        else:
            np.testing.assert_array_equal(other.held_out_.rows, one.held_out_.rows)
            np.testing.assert_allclose(
                other.held_out_.probabilities, one.held_out_.probabilities, atol=1e-4
            )
    stops = {head.chosen_["epochs"] for head in alone}
    assert len(stops) > 1, "all heads leave at once, so none was seen to stay"


def test_device_is_no_part_of_the_identity():
    assert MLPHead(device="cuda").identity() == MLPHead().identity()


def test_missing_device_is_refused(make_lesions):
    X, y, groups = make_lesions()
    with pytest.raises(UsageError, match="tpu"):
        MLPHead(device="tpu").fit(X, y, groups)


def test_parameters_are_counted(make_lesions):
    X, y, groups = make_lesions(columns=30)
    head = MLPHead(hidden=16, max_epochs=2).fit(X, y, groups)
    assert head.n_parameters_ == 30 * 16 + 16 + 16 * 3 + 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dropout": 1.0}, r"dropout=1.0.*from 0 to below 1"),
        ({"hidden": 0}, "hidden=0.*1 or more"),
        ({"max_epochs": 0}, "max_epochs=0.*1 or more"),
    ],
)
def test_impossible_options_are_refused(options, message, make_lesions):
    X, y, _ = make_lesions()
    with pytest.raises(UsageError, match=message):
        MLPHead(**options).fit(X, y)
