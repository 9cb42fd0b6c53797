"""Models for other programs: one file from pixels to calibrated probabilities."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from featkit.backbones import Backbone
from featkit.errors import ModelError, UsageError
from featkit.files import atomic_path
from featkit.inference._modules import WholeModel
from featkit.models import TrainedModel

__all__ = ["FORMATS", "export_program"]

_TOLERANCE = 1e-3
"""Largest difference of a probability between the file and PyTorch in fp32."""

_OPSET = 18

_OUTPUTS = ["probabilities", "head_probabilities"]

Runs = Callable[[NDArray[np.uint8]], Sequence[NDArray[np.floating]]]
"""From pixels to both outputs."""


def export_program(
    model: TrainedModel,
    backbone: Backbone,
    out: Path,
    images: NDArray[np.uint8],
    *,
    form: str = "onnx",
) -> float:
    """Write a model as one file, which gets its name when it gives PyTorch's probabilities.

    Input `pixels`: uint8, (B, 3, H, W), RGB, resized and cropped as the file's own `preprocessing`
    says. Outputs: `probabilities`, float32, (B, C), calibrated, and `head_probabilities`, those of
    the head alone, by which it decides. B is free.

    Args:
        model: With a head of layers.
        backbone: Its backbone, on the CPU.
        out: The file.
        images: The network's input of real images, (n, H, W, 3), on which both are compared.
        form: `onnx`, or `torch` for a program of torch.export.

    Returns:
        The largest difference of a probability that was found.

    Raises:
        UsageError: There is no such form, a library is missing, or the head has no layers.
        ModelError: The file gives other probabilities; nothing is written.
        StoreError: It cannot be written.
    """
    if form not in FORMATS:
        raise UsageError(
            f"--format {form}", cause="there is no such form", remedy=f"Use {', '.join(FORMATS)}"
        )
    whole = WholeModel(model, backbone).eval()
    pixels = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    with torch.inference_mode():
        expected = [each.numpy() for each in whole(pixels)]
    with atomic_path(out) as temporary:
        with _quietly():
            run = FORMATS[form](whole, pixels, _described(model, backbone), temporary)
        # One alone, the others, and all: the number of images must not matter.
        parts = [slice(0, 1), slice(1, None), slice(None)]
        gap = max(_gap(run(pixels[part].numpy()), expected, part) for part in parts)
        if not gap <= _TOLERANCE:
            raise ModelError(
                f"{out} was not written",
                cause=f"as {form} the model gives probabilities that differ by {gap:.2g}",
                remedy="Use another format, or report the backbone",
            )
    return gap


def _gap(
    found: Sequence[NDArray[np.floating]], expected: Sequence[NDArray[np.floating]], part: slice
) -> float:
    """Return the largest difference of a probability of some images, NaN where one is none."""
    pairs = zip(found, expected, strict=True)
    return float(np.max([np.abs(each - known[part]).max() for each, known in pairs]))


def _described(model: TrainedModel, backbone: Backbone) -> dict[str, str]:
    """Return what the file says of itself."""
    facts = model.facts
    return {
        "name": facts.name,
        "classes": json.dumps(list(facts.classes)),
        "preprocessing": json.dumps(backbone.preprocessing.to_dict()),
        "calibrated": json.dumps(facts.calibration.temperature is not None),
        "thresholds": json.dumps(model.flagged_from),
        "run": facts.training.run,
        "intended_use": facts.intended_use,
    }


def _onnx(whole: WholeModel, pixels: Tensor, described: Mapping[str, str], path: Path) -> Runs:
    for name in ("onnx", "onnxscript", "onnxruntime"):
        _needed(name)
    program: Any = torch.onnx.export(
        whole,
        (pixels[:2],),
        input_names=["pixels"],
        output_names=_OUTPUTS,
        dynamic_shapes=({0: torch.export.Dim("images", min=1)},),
        opset_version=_OPSET,
        dynamo=True,
        verbose=False,
    )
    proto = program.model_proto
    for name, text in described.items():
        proto.metadata_props.add(key=name, value=text)
    import_module("onnx").checker.check_model(proto)
    path.write_bytes(proto.SerializeToString())
    runtime = import_module("onnxruntime")
    session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    return lambda given: [np.asarray(each) for each in session.run(_OUTPUTS, {"pixels": given})]


def _exported(whole: WholeModel, pixels: Tensor, described: Mapping[str, str], path: Path) -> Runs:
    shapes = ({0: torch.export.Dim("images", min=1)},)
    program = torch.export.export(whole, (pixels[:2],), dynamic_shapes=shapes)
    saved = path.with_name(f"{path.name}.pt2")  # torch.export.save wants this ending
    try:
        torch.export.save(program, saved, extra_files=dict(described))
        shutil.move(saved, path)
        with path.open("rb") as file:
            again = torch.export.load(file).module()
    finally:
        saved.unlink(missing_ok=True)

    def run(given: NDArray[np.uint8]) -> list[NDArray[np.floating]]:
        with torch.inference_mode():
            return [np.asarray(each.numpy()) for each in again(torch.from_numpy(given))]

    return run


FORMATS: Mapping[str, Callable[[WholeModel, Tensor, Mapping[str, str], Path], Runs]] = (
    MappingProxyType({"onnx": _onnx, "torch": _exported})
)
"""What writes a file, by format."""


def _needed(name: str) -> None:
    try:
        import_module(name)
    except ImportError as error:
        raise UsageError(
            "--format onnx",
            cause=f"it needs {name}, which is not installed",
            remedy="Install it: pip install 'featkit[onnx]'",
        ) from error


@contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporters' remarks about themselves."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
