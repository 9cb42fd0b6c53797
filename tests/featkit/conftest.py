"""A small Ray cluster, for the rooms that work on one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

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
