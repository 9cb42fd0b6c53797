import numpy as np
import pytest

from featkit.heads import LightGBMHead, LinearHead, MLPHead


@pytest.fixture
def make_lesions():
    """A maker of features of a few imbalanced classes, several images of one lesion."""

    def make(lesions=(24, 8, 4), *, columns=30, spread=1.0, seed=0):
        rng = np.random.default_rng(seed)
        centres = np.random.default_rng(7).normal(size=(len(lesions), columns))
        names = np.repeat([f"class {number}" for number in range(len(lesions))], lesions)
        of_lesion = np.repeat(np.arange(len(names)), rng.integers(1, 4, size=len(names)))
        label = names[of_lesion]
        means = centres[np.searchsorted(np.unique(names), label)]
        own = rng.normal(size=(len(names), columns))[of_lesion]
        noise = rng.normal(size=(len(label), columns))
        features = (means + spread * (own + noise) / 2).astype(np.float32)
        return features, label, np.char.add("lesion ", of_lesion.astype(str))

    return make


@pytest.fixture
def small_heads():
    """One head of each kind, made small enough for tests."""
    return {
        "linear": LinearHead(strengths=(1e-3, 1e-1)),
        "lightgbm": LightGBMHead(max_rounds=20, feature_fraction=0.5),
        "mlp": MLPHead(hidden=16, max_epochs=30, learning_rate=3e-3),
    }
