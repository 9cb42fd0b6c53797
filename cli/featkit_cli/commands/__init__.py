"""The commands, one file each; this file puts them together."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from featkit_cli.commands.backbones import backbones
from featkit_cli.commands.bench import bench
from featkit_cli.commands.compare import compare
from featkit_cli.commands.data import data
from featkit_cli.commands.demo import demo
from featkit_cli.commands.doctor import doctor
from featkit_cli.commands.export import export
from featkit_cli.commands.extract import extract
from featkit_cli.commands.finetune import finetune
from featkit_cli.commands.fit import fit
from featkit_cli.commands.inspect import inspect
from featkit_cli.commands.plugins import plugins
from featkit_cli.commands.predict import predict
from featkit_cli.commands.report import report
from featkit_cli.commands.run import run
from featkit_cli.commands.serve import serve
from featkit_cli.commands.tables import tables
from featkit_cli.commands.track import track
from featkit_cli.completion import completed
from featkit_cli.configuration import at_root, takes_config

__all__ = ["app"]

app = typer.Typer(
    help="Which pretrained backbone, which classifier, how many labels, and is fine-tuning worth "
    "its price? Frozen features and fine-tuning on one design, compared honestly.",
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    *(extract, fit, finetune, compare, report, predict, serve, export),
    *(backbones, plugins, inspect, tables, track, bench, run, demo, doctor),
):
    app.command()(command)
app.add_typer(data, name="data")
for each in (*app.registered_commands, *data.registered_commands):
    if each.callback is not None:
        each.callback = completed(takes_config(each.callback))


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"featkit {version('featkit')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks of errors.")] = False,
    config: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.toml",
            is_eager=True,
            callback=at_root,
            help="Take options from a TOML file that has a table for each command; the command "
            "line wins.",
        ),
    ] = None,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
