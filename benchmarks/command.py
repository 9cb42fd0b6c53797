"""The command line of the benchmarks."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.catalogue import BENCHMARKS
from benchmarks.environments import RIVALS
from benchmarks.harness import ROOT, Settings, Watcher
from benchmarks.material import NETWORKS
from featkit import FeatkitError

__all__ = ["main"]

_OUT = ROOT / "artifacts" / "reference" / "benchmarks"
_WIDE = 150
_QUICK_OUT = ROOT / "artifacts" / "benchmarks-quick"


def main(words: Sequence[str] | None = None) -> int:
    """Run what the command line asks for; return the exit code."""
    # Where no terminal says how wide it is, tables need room.
    console = Console() if sys.stdout.isatty() else Console(width=_WIDE)
    options = _parser().parse_args(words)
    if "list" in options.names:
        for name, benchmark in BENCHMARKS.items():
            console.print(f"{name:12} {benchmark.about}", highlight=False)
        return 0
    names = list(BENCHMARKS) if "all" in options.names else options.names
    out = options.out or (_QUICK_OUT if options.quick else _OUT)
    return max(_run(name, options, out, console) for name in names)


def _run(name: str, options: argparse.Namespace, out: Path, console: Console) -> int:
    watcher = Watcher(console)
    try:
        settings = Settings(
            watcher=watcher,
            rounds=options.rounds or (2 if options.quick else 5),
            quick=options.quick,
            device=_device(options.device),
            install=frozenset(options.rivals),
            seconds=options.seconds,
            networks=tuple(options.backbone or NETWORKS),
            model=options.model,
            images=options.images,
        )
        watcher.section(name)
        report = BENCHMARKS[name].run(settings)
    except FeatkitError as error:
        console.print(f"{name}: {error}", style="red", highlight=False, markup=False)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    finally:
        watcher.close()
    written = report.write(out)
    report.show(console)
    console.print(f"Written: {', '.join(map(str, written))}", highlight=False)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure featkit and its rivals in the same run, on the same files, in turn.",
    )
    parser.add_argument("names", nargs="+", choices=[*BENCHMARKS, "all", "list"], metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("--rounds", type=_count, help="default 5, quick 2")
    parser.add_argument(
        "--seconds",
        type=float,
        help="of a contender in a round, default 25 in extraction, 15 in serving",
    )
    parser.add_argument("--model", type=Path, help="the trained model that is served")
    parser.add_argument("--images", type=Path, help="folder of photographs to send to it")
    parser.add_argument(
        "--out",
        type=Path,
        help="default artifacts/reference/benchmarks, quick artifacts/benchmarks-quick",
    )
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument(
        "--backbone", action="append", choices=list(NETWORKS), help="default: all (may be repeated)"
    )
    parser.add_argument(
        "--rivals",
        action="append",
        choices=RIVALS,
        default=[],
        help="make an environment for this rival where there is none (some GB from PyPI)",
    )
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _device(name: str) -> str:
    if name != "auto":
        return name
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"
