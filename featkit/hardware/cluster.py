"""The Ray cluster that work is spread over: the user's, or one that lives as long as the work."""

from __future__ import annotations

import importlib
import logging
import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch

from featkit.errors import UsageError
from featkit.hardware.devices import available_cores

__all__ = ["Node", "connected", "kind_of", "nodes"]

_ADDRESS = "RAY_ADDRESS"
"""Ray's own variable."""

_SILENT = {"log_to_driver": False, "logging_level": logging.CRITICAL}

_DEVICES = ("auto", "cpu", "cuda")

_PATIENCE_S = 10.0

_NO_REPORTS = "RAY_USAGE_STATS_ENABLED"


@dataclass(frozen=True)
class Node:
    """A machine of the cluster.

    Attributes:
        key: Ray's name for it.
        cores: CPUs that Ray may give away there.
        gpus: GPUs likewise.
    """

    key: str
    cores: int
    gpus: int


@contextmanager
def connected() -> Iterator[None]:
    """Hold a connection to a cluster until the block ends.

    It is the one that this process is connected to already; else the one that RAY_ADDRESS names;
    else one of this machine's cores and GPUs, started here and stopped at the end.

    Raises:
        UsageError: Ray is not installed, or the cluster cannot be reached.
    """
    ray = _imported()
    if ray.is_initialized():
        yield
        return
    with _muted():
        _connect(ray, os.environ.get(_ADDRESS))
        try:
            yield
        finally:
            ray.shutdown()


def nodes() -> Sequence[Node]:
    """Return the machines of the cluster that are alive, in the order of their names."""
    found = []
    for told in _imported().nodes():
        resources: Mapping[str, float] = told["Resources"]
        cores, gpus = (int(resources.get(kind, 0)) for kind in ("CPU", "GPU"))
        if told["Alive"]:
            found.append(Node(str(told["NodeID"]), cores, gpus))
    return sorted(found, key=lambda node: node.key)


def kind_of(device: str, nodes: Sequence[Node]) -> torch.device:
    """Return what kind of device the workers have.

    Raises:
        UsageError: The machines have no such devices, or one is named by number.
    """
    if device not in _DEVICES:
        raise UsageError(
            f"--device {device} with --engine ray",
            cause="Ray gives each worker its device",
            remedy=f"Use one of: {', '.join(_DEVICES)}",
        )
    gpus = any(node.gpus for node in nodes)
    if device == "cuda" and not gpus:
        raise UsageError(
            "--device cuda with --engine ray",
            cause="no machine of the cluster has a GPU",
            remedy="Use --device cpu, or add machines with GPUs",
        )
    return torch.device("cuda", 0) if gpus and device != "cpu" else torch.device("cpu")


def _imported() -> ModuleType:
    try:
        return importlib.import_module("ray")
    except ImportError:
        raise UsageError(
            "--engine ray", cause="Ray is not installed", remedy="Install featkit[ray]"
        ) from None


def _connect(ray: ModuleType, address: str | None) -> None:
    if address is None:
        with _no_reports():
            ray.init("local", num_cpus=available_cores(), include_dashboard=False, **_SILENT)
        return
    if address.startswith("ray://"):
        raise UsageError(
            f"{_ADDRESS}={address}",
            cause="this is the address of Ray's client server, by which features cannot stream",
            remedy="Run the command on a machine of the cluster, with its HOST:PORT or `auto`",
        )
    try:
        _call_on(address)
        ray.init(address, **_SILENT)
    except (OSError, RuntimeError, ValueError) as error:
        raise UsageError(
            f"cannot reach the Ray cluster at {address}",
            cause=str(error).strip().partition("\n")[0].rstrip("."),
            remedy=f"Check {_ADDRESS}, or unset it to use this machine alone",
        ) from error


def _call_on(address: str) -> None:
    """Look whether anybody answers: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE_S).close()


@contextmanager
def _no_reports() -> Iterator[None]:
    """Keep a cluster that is started here from reporting its use to Ray's makers."""
    before = os.environ.get(_NO_REPORTS)
    os.environ[_NO_REPORTS] = "0"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_NO_REPORTS]
        else:
            os.environ[_NO_REPORTS] = before


@contextmanager
def _muted() -> Iterator[None]:
    """Keep Ray from printing between progress and results what featkit tells in its own words."""
    # `log_to_driver=False` leaves the messages of the cluster itself, which go to stdout.
    worker: Any = importlib.import_module("ray._private.worker")
    before = getattr(worker, "_worker_logs_enabled", True)
    worker._worker_logs_enabled = False
    try:
        yield
    finally:
        worker._worker_logs_enabled = before
