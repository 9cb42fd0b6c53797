"""featkit's linear head: strengths and inner folds in one fit.

Arguments: `data` (see `benchmarks.material.features`), `out` (.npz), `threads`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.contenders.stopwatch import Stopwatch, arguments
from featkit.heads import LinearHead


def main() -> None:
    """Fit the head, and predict the test images."""
    wanted = arguments()
    data = np.load(wanted["data"])
    X, y, groups, X_test = (data[name] for name in ("X", "y", "groups", "X_test"))

    watch = Stopwatch()
    head = LinearHead(n_jobs=wanted["threads"]).fit(X, y, groups)
    probabilities = head.predict_proba(X_test)
    watch.stop(1, chosen=head.chosen_["C"], strengths=len(head.chosen_["strengths"]))
    np.savez(wanted["out"], probabilities=probabilities)


if __name__ == "__main__":
    main()
