"""Counts and times for Prometheus, in a registry of the app's own."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

from featkit.serving._room import Room

__all__ = ["Metrics"]

_PATHS = ("/", "/api/model", "/api/predict", "/healthz", "/metrics", "/openapi.json")

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """What the server did so far.

    Args:
        room: Knows how many images are inside.
        lost: Tells how many decoders had to be started again.
    """

    def __init__(self, room: Room, *, lost: Callable[[], int]) -> None:
        found = self.registry = CollectorRegistry()
        self._requests = Counter(
            "featkit_requests", "Requests answered", ["path", "status"], registry=found
        )
        self._seconds = Histogram(
            "featkit_request_seconds", "Until an answer", ["path"], buckets=_SECONDS, registry=found
        )
        self._answered = Counter("featkit_images_answered", "Images answered", registry=found)
        self._refused = Counter(
            "featkit_images_refused", "Images not answered", ["code"], registry=found
        )
        self._batches = Histogram(
            "featkit_batch_images",
            "Images that went through the network together",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=found,
        )
        inside = Gauge("featkit_images_inside", "Images being answered", registry=found)
        inside.set_function(lambda: room.images)
        decoders = Gauge(
            "featkit_decoders_lost", "Decoders that had to be started again", registry=found
        )
        decoders.set_function(lost)
        ProcessCollector(registry=found)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request; paths that someone made up count as one."""
        known = "/api/cases" if path.startswith("/api/cases/") else path
        known = known if known in {*_PATHS, "/api/cases"} else "other"
        self._requests.labels(known, str(status)).inc()
        self._seconds.labels(known).observe(seconds)

    def refused(self, code: str) -> None:
        """Count an image that was not answered."""
        self._refused.labels(code).inc()

    def said(self) -> None:
        """Count an image that was answered."""
        self._answered.inc()

    def batched(self, images: int) -> None:
        """Count a batch."""
        self._batches.observe(images)
