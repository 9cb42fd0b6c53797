"""Fine-tuning by featkit, through its public function.

Arguments: `images` (a spec of a data set), `limit` (images), `weights` (folder in timm's layout),
`size` (px), `epochs`, `recipe` (fields of featkit's Recipe), `device`, `out` (folder).
"""

from __future__ import annotations

from pathlib import Path

import featkit
from benchmarks.contenders.stopwatch import Stopwatch, arguments


def main() -> None:
    """Fine-tune once on all labels of one training fold."""
    wanted = arguments()
    out = Path(wanted["out"])
    dataset = featkit.limit_dataset(featkit.load_dataset(wanted["images"]), wanted["limit"])
    backbone = featkit.load_backbone(f"local-dir:{wanted['weights']}", image_size=wanted["size"])
    # No early end and no epochs beyond those asked for, so that an epoch's time can be told.
    recipe = {**wanted["recipe"], "epochs": wanted["epochs"], "min_steps": 0, "patience": 0}
    finetune, design = featkit.finetune, featkit.Design(budgets=(100.0,), draws=1)

    watch = Stopwatch()
    finetune(
        dataset,
        backbone,
        out,
        strategies=["full"],
        recipe=recipe,
        design=design,
        device=wanted["device"],
    )
    (run,) = featkit.RunStore(out)
    trained = run.cost.images_seen / wanted["epochs"]
    watch.stop(wanted["epochs"], trained=trained, in_the_run_s=run.cost.wall_s)


if __name__ == "__main__":
    main()
