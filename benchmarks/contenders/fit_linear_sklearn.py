"""scikit-learn's logistic regression, in the loop that people write.

Ten strengths on each of five inner folds that keep lesions together, the best by balanced accuracy,
then a fit on all rows. Features are standardised once. Arguments: `data` (see
`benchmarks.material.features`), `out` (.npz), `warm_start`.
"""

from __future__ import annotations

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.preprocessing import StandardScaler

from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Choose a strength, fit, and predict the test images."""
    wanted = arguments()
    data = np.load(wanted["data"])
    X, y, groups, X_test = (data[name] for name in ("X", "y", "groups", "X_test"))
    strengths = np.logspace(-5, 1, 10)

    watch = Stopwatch()
    scaler = StandardScaler().fit(X)
    X = scaler.transform(X)
    folds = StratifiedGroupKFold(5, shuffle=True, random_state=0)
    scores = np.zeros(len(strengths))
    for train, validation in folds.split(X, y, groups):
        model = LogisticRegression(
            max_iter=1000, class_weight="balanced", warm_start=wanted["warm_start"]
        )
        for number, strength in enumerate(strengths):
            model.set_params(C=strength).fit(X[train], y[train])
            scores[number] += balanced_accuracy_score(y[validation], model.predict(X[validation]))
    best = float(strengths[scores.argmax()])
    model = LogisticRegression(C=best, max_iter=1000, class_weight="balanced").fit(X, y)
    probabilities = model.predict_proba(scaler.transform(X_test))
    watch.stop(1, chosen=best, strengths=len(strengths))
    np.savez(wanted["out"], probabilities=probabilities)


if __name__ == "__main__":
    main()
