"""What several rooms share: a small Ray cluster, and Runs that are tables and records of."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from featkit.runs import Cost, Run, RunKey, RunStore, TestSet

_STORE = 80 << 20


class SmallCluster:
    """A cluster of two machines with a core each, all of it in this one."""

    def __init__(self):
        from ray.cluster_utils import Cluster

        node = {"num_cpus": 1, "num_gpus": 0, "object_store_memory": _STORE}
        self._cluster = Cluster()
        self._cluster.add_node(**node, include_dashboard=False)
        self._cluster.add_node(**node)
        self.address = self._cluster.address

    def busy(self, doing):
        """Return the processes whose title says that they are doing something."""
        nodes = self._cluster.list_all_nodes()
        parents = {node.all_processes["raylet"][0].process.pid for node in nodes}
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                if parent in parents and doing in (folder / "cmdline").read_text():
                    found.append(int(folder.name))
        return found

    def stop(self):
        self._cluster.shutdown()


@pytest.fixture(scope="session")
def ray_cluster():
    pytest.importorskip("ray", reason="needs Ray (the extra `ray`)")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = SmallCluster()
    yield cluster
    cluster.stop()


@pytest.fixture
def on_ray(ray_cluster, monkeypatch):
    """Have `engine="ray"` mean the small cluster."""
    monkeypatch.setenv("RAY_ADDRESS", ray_cluster.address)
    return ray_cluster


def precise_run(
    draw: int = 0, *, classes: tuple[str, ...] = ("bkl", "mel", "nv"), **changes
) -> Run:
    """Return a Run whose numbers have no short decimals."""
    world = np.random.default_rng(draw)
    label = world.integers(0, len(classes), 30).astype(np.int16)
    test = TestSet(
        "held-out fold",
        np.array([f"I{row:02d}" for row in range(30)]),
        np.array([f"L{row // 2:02d}" for row in range(30)]),
        label,
    )
    run = Run(
        key=RunKey("linear", "net", 1, 12.5, draw, {"imbalance": "weights"}, "f" * 64, "plan1"),
        classes=classes,
        test=test,
        probabilities=world.dirichlet(np.ones(len(classes)), 30).astype(np.float32),
        train_lesions=17,
        train_images=23,
        cost=Cost(1 / 3, 2 / 3, 230, 21, 100.5, 0.1, "cpu: AMD, 2 cores", 2),
        chosen={"C": 0.1, "path": [1, 2]},
        versions={"featkit": "0.1.0"},
        inputs={"spec": "timm:net", "weights_sha256": "abc"},
    )
    return replace(run, **changes)


@pytest.fixture
def make_precise_run() -> Callable[..., Run]:
    return precise_run


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """An output folder with a few Runs."""
    store = RunStore(tmp_path / "fit")
    for draw in range(5):
        store.save(precise_run(draw))
    return tmp_path / "fit"
