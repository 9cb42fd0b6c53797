"""How near featkit's linear head comes to scikit-learn's optimum, strength by strength.

Not a contender: nothing is timed. Both solve the same problem, scikit-learn to a much smaller
tolerance; the objective is computed here, in float64, for both. Arguments: `data` (see
`benchmarks.material.features`), `strengths`, `threads`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

from benchmarks.contenders.stopwatch import Stopwatch, arguments
from featkit.heads import LinearHead

Float = NDArray[np.float64]


def objective(model: Any, X: Float, y: NDArray[np.intp], weights: Float, strength: float) -> float:
    """Return strength × Σ weight × log loss + ½ ‖coefficients‖²."""
    scores = X @ np.asarray(model.coef_, np.float64).T + model.intercept_
    losses = logsumexp(scores, axis=1) - scores[np.arange(len(y)), y]
    return float(strength * weights @ losses + 0.5 * np.square(model.coef_, dtype=float).sum())


def main() -> None:
    """Compare objectives and predictions at every strength."""
    wanted = arguments()
    data = np.load(wanted["data"])
    y, X_test = np.unique(data["y"], return_inverse=True)[1], data["X_test"]
    weights = compute_sample_weight("balanced", y)
    watch = Stopwatch()
    found = []
    for strength in wanted["strengths"]:
        head = LinearHead(strengths=[strength], n_jobs=wanted["threads"]).fit(
            data["X"], y, data["groups"]
        )
        mean, scale = head.mean_.astype(np.float64), head.scale_.astype(np.float64)
        X = (data["X"] - mean) / scale
        exact = LogisticRegression(C=strength, max_iter=20_000, tol=1e-7)
        exact.fit(X, y, sample_weight=weights)
        ours, theirs = (objective(each, X, y, weights, strength) for each in (head, exact))
        same = head.predict(X_test) == exact.predict((X_test - mean) / scale)
        found.append(
            {
                "C": strength,
                "objective_excess": ours / theirs - 1,
                "same_predictions": float(np.mean(same)),
            }
        )
    watch.stop(len(found), found=found)


if __name__ == "__main__":
    main()
