"""All benchmarks by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType

from benchmarks.harness import Report, Settings

__all__ = ["BENCHMARKS", "Benchmark"]


@dataclass(frozen=True)
class Benchmark:
    """A benchmark.

    Attributes:
        about: What it measures, in a line.
        module: Where its `run` lies.
    """

    about: str
    module: str

    def run(self, settings: Settings) -> Report:
        """Measure."""
        measure: Callable[[Settings], Report] = import_module(self.module).run
        return measure(settings)


BENCHMARKS: Mapping[str, Benchmark] = MappingProxyType(
    {
        "extraction": Benchmark(
            "images to features: a plain script, thingsvision, and what the machine allows",
            "benchmarks.extraction",
        ),
        "linear": Benchmark(
            "the linear head and its sweep: scikit-learn's LogisticRegression in a loop",
            "benchmarks.linear",
        ),
        "boosting": Benchmark(
            "the LightGBM head: LGBMClassifier with its defaults", "benchmarks.boosting"
        ),
        "mlp": Benchmark("MLP heads of several draws: together, one by one", "benchmarks.mlp"),
        "finetuning": Benchmark(
            "an epoch of fine-tuning: a plain PyTorch loop", "benchmarks.finetuning"
        ),
        "ray": Benchmark(
            "extraction on Ray on one machine: the local engine, a pipeline of Ray Data",
            "benchmarks.ray",
        ),
        "scale": Benchmark(
            "memory and time of extraction by the number of images; size of the store",
            "benchmarks.scale",
        ),
        "calibration": Benchmark(
            "honesty of probabilities: none, a temperature, the calibrator of all classes",
            "benchmarks.calibration",
        ),
        "strange": Benchmark(
            "which distance tells images that are unlike the training data", "benchmarks.strange"
        ),
        "serving": Benchmark(
            "a served model under load: answers a second, latency, nothing lost",
            "benchmarks.serving",
        ),
    }
)
