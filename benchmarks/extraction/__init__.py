"""Images to features: featkit, a plain script and thingsvision, and what the machine allows."""

from benchmarks.extraction.running import run

__all__ = ["run"]
