from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from featkit.runs import Cost, Run, RunKey, TestSet


@pytest.fixture
def make_run() -> Callable[..., Run]:
    def make(**changes: object) -> Run:
        generator = np.random.default_rng(0)
        probabilities = generator.dirichlet(np.ones(3), size=5).astype(np.float32)
        test = TestSet(
            "held-out fold",
            np.array([f"I{row}" for row in range(5)]),
            np.array(["L0", "L0", "L1", "L2", "L3"]),
            np.array([0, 0, 1, 2, 2], dtype=np.int16),
        )
        key = RunKey("linear", "net", 0, 25.0, 1, {"imbalance": "weights"}, "features", "plan")
        return Run(
            key=replace(key, **changes),  # type: ignore[arg-type]
            classes=("a", "b", "c"),
            test=test,
            probabilities=probabilities,
            train_lesions=7,
            train_images=9,
            cost=Cost(1.5, 1.25, 90, 21, 100.0),
            chosen={"C": 0.1},
        )

    return make
