"""`featkit demo`: the main job on the embedded sample, with no download."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from featkit_cli import console
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

__all__ = ["demo"]

DEFAULT_OUT = Path("artifacts/demo")


def demo(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Features, Runs, plots.")] = DEFAULT_OUT,
    images: Annotated[
        int, typer.Option(metavar="N", min=300, help="Size of the drawn sample.")
    ] = 2000,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Fits at a time. Default: all cores.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the whole job on drawn lesions: extract, fit three heads at seven budgets, report.

    The images are synthetic and the bundled backbone is tiny: the numbers show how the tool
    works, they say nothing about skin.
    """
    from featkit.backbones import load_backbone
    from featkit.comparison import analyse, compare
    from featkit.data import load_dataset
    from featkit.experiment import Design
    from featkit.features import extract
    from featkit.report import write_comparison, write_page
    from featkit.sweep import fit
    from featkit_cli.commands.compare import show

    data = f"synthetic:images={images}"
    dataset = load_dataset(data)
    # Another sample (of another size, or another release's) gets a place of its own.
    features = out / f"sample-{dataset.fingerprint[:8]}.h5"
    runs = features.with_suffix("")
    with console.interruptible(), shown_progress() as shown:
        # fp32 whatever the hardware has: the demonstration shows the same numbers everywhere.
        console.note(
            f"$ featkit extract {data} --backbone featkit:tiny --precision fp32 --out {features}"
        )
        store = extract(
            dataset,
            load_backbone("featkit:tiny"),
            features,
            precision="fp32",
            progress=shown,
        )
        console.note(f"$ featkit fit {features} --draws 3 --out {runs}")
        fit([store], runs, design=Design(draws=3), jobs=jobs, progress=shown)
        console.note(f"$ featkit compare {runs} --out {out / 'comparison'}")
        found = compare([runs], progress=shown)
        console.note(f"$ featkit report {runs} --features {features} --out {out / 'report.html'}")
        analysis = analyse([runs], found, progress=shown)
        report = write_page([runs], out / "report.html", analysis=analysis, features=[features])
    paths = write_comparison(found, out / "comparison")
    if as_json:
        console.print_json(found.to_dict())
        return
    show(found, paths)
    console.stdout().print(
        "\nThe sample is drawn, not photographed: these numbers show the tool, not skin.\n"
        f"Look at {out / 'comparison' / 'learning_curve.png'} and open {report} in a browser.\n"
        "Next, with your own images:\n"
        "  featkit data info PATH/TO/IMAGES\n"
        "  featkit extract PATH/TO/IMAGES --backbone timm:resnet50.a1_in1k --out mine.h5"
    )
