"""featkit's LightGBM head.

Arguments: `data` (see `benchmarks.material.features`), `out` (.npz), `seed`, `threads`.
"""

from __future__ import annotations

import numpy as np

from benchmarks.contenders.stopwatch import Stopwatch, arguments
from featkit.heads import LightGBMHead


def main() -> None:
    """Fit the head, and predict the test images."""
    wanted = arguments()
    data = np.load(wanted["data"])
    X, y, groups, X_test = (data[name] for name in ("X", "y", "groups", "X_test"))

    watch = Stopwatch()
    head = LightGBMHead(n_jobs=wanted["threads"], random_state=wanted["seed"]).fit(X, y, groups)
    probabilities = head.predict_proba(X_test)
    watch.stop(1, chosen=repr(head.chosen_)[:500])
    np.savez(wanted["out"], probabilities=probabilities)


if __name__ == "__main__":
    main()
