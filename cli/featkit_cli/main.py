"""The `featkit` command: one Typer app, errors on one line, heavy imports inside commands."""

from __future__ import annotations

import sys

import typer

from featkit.errors import FeatkitError
from featkit_cli import console
from featkit_cli.commands import app

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    sys.exit(_run())


def _run() -> int:
    debug = "--debug" in sys.argv
    try:
        return int(app(standalone_mode=False, prog_name="featkit") or 0)
    except FeatkitError as error:
        if debug:
            raise
        console.fail(str(error))
        return error.exit_code
    except typer.TyperException as error:
        console.fail(f"{error.format_message().splitlines()[0]} Try --help.")
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 1
    except Exception as error:
        if debug:
            raise
        kind = type(error).__name__
        console.fail(f"unexpected {kind}: {error}. Run again with --debug for the traceback.")
        return 1
