"""`featkit serve`: a model behind a page."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from featkit_cli import console

__all__ = ["serve"]


def serve(
    model: Annotated[Path, typer.Argument(metavar="MODEL", help="Folder of a trained model.")],
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 = any that is free.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="FEATKIT_TOKEN", help="What requests must carry; needed on other addresses."
        ),
    ] = None,
    no_token: Annotated[
        bool, typer.Option("--no-token", help="Let anyone ask who reaches the address.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Name that it may be called by, as by a proxy."),
    ] = None,
    thumbnails: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            exists=True,
            file_okay=False,
            help="Show training cases from this folder of images.",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="`auto`, `cpu`, `cuda`, `cuda:N` or `mps`.")] = "auto",
    processes: Annotated[int, typer.Option(min=1, help="Processes that decode.")] = 1,
    max_mb: Annotated[float, typer.Option(help="Megabytes of a request.")] = 25.0,
    max_megapixels: Annotated[float, typer.Option(help="Megapixels of an image.")] = 50.0,
    max_images: Annotated[int, typer.Option(help="Images in a request.")] = 16,
    max_seconds: Annotated[float, typer.Option(help="Seconds until an answer.")] = 30.0,
    max_waiting: Annotated[int, typer.Option(help="Images that wait at once.")] = 128,
) -> None:
    """Serve a model: a page for photographs, and the same for programs (/openapi.json).

    For research; no medical device. Nothing that is sent is kept.
    """
    from featkit.serving import Limits, run_server

    limits = Limits(
        megabytes=max_mb,
        megapixels=max_megapixels,
        images=max_images,
        seconds=max_seconds,
        waiting=max_waiting,
    )
    code = 0
    try:
        run_server(
            model,
            host=host,
            port=port,
            limits=limits,
            token=token,
            open_to_all=no_token,
            names=allow_host or (),
            thumbnails=thumbnails,
            device=device,
            processes=processes,
            ready=lambda address, name: console.note(
                f"{name} at {address} (research use only). Ctrl-C ends it."
            ),
        )
    except KeyboardInterrupt:
        code = 130
    except SystemExit:  # SIGTERM
        code = 143
    # All is put away but for what the network is computing, which would be waited for.
    sys.stderr.flush()
    os._exit(code)
