"""Feature extraction by thingsvision, as its README says; runs in an environment of its own.

Arguments: `images` (folder), `model` (timm's name), `layer` (the module whose activations are
kept), `token` (how a transformer's tokens are pooled, or null), `out` (folder), `device`. Weights
are random: their values do not change how long it takes.
"""

from __future__ import annotations

import timm
import torch
from thingsvision import get_extractor
from thingsvision.utils.data import DataLoader, ImageDataset
from thingsvision.utils.storing import save_features

from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Extract the activations of all images."""
    wanted = arguments()
    parameters = {"token_extraction": wanted["token"]} if wanted["token"] else None
    extractor = get_extractor(
        model_name=wanted["model"],
        source="timm",
        device=wanted["device"],
        pretrained=False,
        model_parameters=parameters,
    )

    watch = Stopwatch()
    dataset = ImageDataset(
        root=wanted["images"],
        out_path=wanted["out"],
        backend=extractor.get_backend(),
        transforms=extractor.get_transformations(),
    )
    batches = DataLoader(dataset=dataset, batch_size=32, backend=extractor.get_backend())
    features = extractor.extract_features(
        batches=batches,
        module_name=wanted["layer"],
        flatten_acts=True,
        output_type="ndarray",
    )
    save_features(features, out_path=wanted["out"], file_format="npy")
    watch.stop(len(features), torch=torch.__version__, timm=timm.__version__)


if __name__ == "__main__":
    main()
