"""The `featkit` command: one Typer app, errors on one line, heavy imports inside commands."""

from __future__ import annotations

import sys
import warnings

import typer

from featkit.errors import FeatkitError
from featkit_cli import console
from featkit_cli.commands import app
from featkit_cli.completion import words_joined
from featkit_cli.configuration import unconfigured

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit: 0 done, 1 failed, 2 wrong usage, 130 interrupted."""
    sys.exit(_run())


def _run() -> int:
    debug = "--debug" in sys.argv
    # Damaged tags are no news: images that cannot be read are listed with a reason.
    warnings.filterwarnings("ignore", module="PIL")
    # joblib replaces a process whose memory grew, between two fits; nothing is lost by it.
    warnings.filterwarnings("ignore", message="A worker stopped while some jobs were given")
    try:
        given = [text for text in sys.argv[1:] if text != "--debug"]  # wherever it stands
        arguments = unconfigured(given)
        with words_joined():
            return int(app(arguments, standalone_mode=False, prog_name="featkit") or 0)
    except FeatkitError as error:
        if debug:
            raise
        console.fail(str(error))
        return error.exit_code
    except typer.TyperException as error:
        message = error.format_message().splitlines()[0].rstrip(".")
        console.fail(f"{message}. Try --help.")
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
