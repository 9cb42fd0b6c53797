"""scikit-learn's own checks, on heads that are small enough to run them quickly."""

import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from featkit.heads import LightGBMHead, LinearHead, MLPHead


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@parametrize_with_checks(
    [
        LinearHead(strengths=(1e-3, 1e-1), inner_splits=2),
        LightGBMHead(max_rounds=20, inner_splits=2, feature_fraction=1.0),
        MLPHead(hidden=16, max_epochs=30, learning_rate=1e-2, batch_size=32, inner_splits=2),
    ]
)
def test_head_keeps_scikit_learns_rules(estimator, check):
    check(estimator)
