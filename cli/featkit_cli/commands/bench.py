"""`featkit bench`: what this machine can do, and how long a data set would take."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from featkit.naming import counted, duration
from featkit_cli import console
from featkit_cli.options import Decoder, Json
from featkit_cli.progress import shown_progress
from featkit_cli.reading import may_read_data

if TYPE_CHECKING:
    from featkit.data import Dataset
    from featkit.speed import BackboneSpeed, Findings, Rate, WaySpeed

__all__ = ["bench"]


@may_read_data
def bench(
    read: Callable[[], Dataset | None],
    backbone: Annotated[
        list[str] | None,
        typer.Option(
            "--backbone",
            "-b",
            metavar="SPEC",
            help="As for `extract`; may be given several times. Default: a MobileNet, a ResNet-50, "
            "a ViT-S/16 and a ViT-B/16.",
        ),
    ] = None,
    expect: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, help="Tell how long N images take. Default: DATA's, or 10,000."
        ),
    ] = None,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where the networks run.")
    ] = "auto",
    image_size: Annotated[
        int | None, typer.Option(metavar="PX", min=8, help="Default: each backbone's own.")
    ] = None,
    views: Annotated[
        int, typer.Option(metavar="N", min=1, help="Views of each image, as for `extract`.")
    ] = 1,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Decoding threads. Default: all cores.")
    ] = None,
    decoder: Annotated[
        Decoder, typer.Option(help="gpu: as for `extract`, on an NVIDIA GPU.")
    ] = Decoder.CPU,
    as_json: Json = False,
) -> None:
    """Measure this machine: decoding, networks, and how long `extract` would take.

    With DATA, on some of its images; without, on drawn JPEG files of 600 × 450 px. Takes a few
    minutes, writes nothing, downloads nothing: where weights are not on this machine, random ones
    are timed, which take as long.
    """
    from featkit.speed import USUAL
    from featkit.speed import bench as measure

    with console.working("reading the data set …"):
        dataset = read()
    with shown_progress() as shown:
        findings = measure(
            dataset,
            backbone or USUAL,
            images=expect,
            device=device,
            image_size=image_size,
            views=views,
            workers=workers,
            decoder=decoder.value,
            progress=shown,
        )
    if as_json:
        console.print_json(findings.to_dict())
        return
    _show(findings, drawn=dataset is None)


def _show(findings: Findings, *, drawn: bool) -> None:
    from featkit.speed import advice

    many = f"{findings.devices} × " if findings.devices > 1 else ""
    views = f", {findings.views} views each" if findings.views > 1 else ""
    work = "decoding" if findings.decoder == "cpu" else "reading"
    console.say(
        f"{many}{findings.device}; {counted(findings.workers, f'{work} thread')}; "
        f"{findings.dataset}{views}"
    )
    unknown = any(way.faithfulness is None for speed in findings.backbones for way in speed.ways)
    console.show_table(
        [row for speed in findings.backbones for row in _way_rows(findings, speed)],
        title="Ways of computing: images/s of the network alone",
        caption="* what `featkit extract` takes. In brackets: slowest and fastest pass. Cosine and "
        "error: the worst image's features against Pillow and PyTorch in fp32"
        f"{'; unknown (?) of random weights and of few images' if unknown else ''}.",
        left=["backbone", "way"],
    )
    together = "work side by side" if findings.beside else "share the cores"
    console.show_table(
        [_time_row(findings, speed) for speed in findings.backbones],
        title=f"Time of {counted(findings.images, 'image')}: images/s",
        caption=f"Decoding and network {together}; extract is both at a time. Ready: loading the "
        "network and choosing how to compute, once.",
        left=["backbone"],
    )
    absent = [findings.label(speed) for speed in findings.backbones if speed.random_weights]
    if absent:
        console.say(
            f"The weights of {', '.join(absent)} are not on this machine: random ones were timed, "
            "which take as long."
        )
    for sentence in advice(findings):
        console.say(sentence)
    if drawn:
        console.say("Other images take other times: featkit bench DATA.")


def _way_rows(findings: Findings, speed: BackboneSpeed) -> list[dict[str, object]]:
    return [
        {
            "backbone": "" if number else findings.label(speed),
            "way": f"{way.precision} {way.runtime}{' *' if way.taken else ''}",
            "images/s": _rate(way.rate),
            **_faithfulness(way),
        }
        for number, way in enumerate(speed.ways)
    ]


def _faithfulness(way: WaySpeed) -> dict[str, str]:
    check = way.faithfulness
    if check is None:
        return {"cosine": "?", "error": "?"}
    return {"cosine": f"{check.cosine_min:.4f}", "error": f"{100 * check.error_max:.2f}%"}


def _time_row(findings: Findings, speed: BackboneSpeed) -> dict[str, object]:
    return {
        "backbone": findings.label(speed),
        "decode": _rate(speed.decode),
        "network": _number(speed.taken.rate.middle),
        "extract": _rate(speed.together),
        "ready": duration(speed.ready_s),
        "in all": duration(findings.seconds(speed)),
    }


def _rate(rate: Rate) -> str:
    """Return `52 (50–53)`: the middle, and the slowest and fastest pass."""
    return f"{_number(rate.middle)} ({_number(rate.least)}–{_number(rate.most)})"


def _number(value: float) -> str:
    return f"{value:,.{1 if value < 9.95 else 0}f}"
