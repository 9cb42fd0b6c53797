"""`featkit run`: a whole study, from extraction to report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from featkit.errors import UsageError
from featkit.naming import duration
from featkit_cli import console
from featkit_cli.options import Json
from featkit_cli.progress import shown_progress

if TYPE_CHECKING:
    from featkit.studies import Outcome, StudyState

__all__ = ["run"]


def run(
    study: Annotated[
        str | None,
        typer.Argument(metavar="STUDY.toml|NAME", help="A study file, or a bundled study."),
    ] = None,
    data: Annotated[
        str | None, typer.Option(metavar="DATA", help="Where the images are; replaces data.spec.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Default: artifacts/studies/NAME.")
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Take about N images; replaces data.limit."),
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change a key of the study, such as design.budgets=1,5 or "
            "backbones.*.image_size=64. May be given several times.",
        ),
    ] = None,
    random_weights: Annotated[
        bool, typer.Option("--random-weights", help="Untrained weights everywhere, for dry runs.")
    ] = False,
    device: Annotated[
        str, typer.Option(metavar="auto|cpu|cuda|cuda:N|mps", help="Where networks run.")
    ] = "auto",
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Decoding threads. Default: all cores.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Fits at a time. Default: all cores.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List what is done and pending, with the time left.")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the bundled studies.")] = False,
    as_json: Json = False,
) -> None:
    """Run a study: extract, fit, fine-tune, compare and report, as its file says.

    What is done already is kept, also when the study was changed: only what changed is made. The
    bundled studies rerun published systems, and then do properly what these did.
    """
    if listing:
        _list(as_json=as_json)
        return
    if study is None:
        raise UsageError(
            "no study was named",
            cause="a TOML file or the name of a bundled study is needed",
            remedy="See `featkit run --list`",
        )
    from featkit.studies import load_study, run_study, study_state

    with console.working("reading the study …"):
        loaded = load_study(
            study, data=data, limit=limit, settings=setting or (), random_weights=random_weights
        )
    folder = out or Path("artifacts", "studies", loaded.name)
    if dry_run:
        with console.working("trying the networks …"):
            state = study_state(loaded, folder, device=device)
        _show_state(state, as_json=as_json)
        return
    with console.interruptible(), shown_progress() as shown:
        outcome = run_study(
            loaded,
            folder,
            device=device,
            workers=workers,
            jobs=jobs,
            progress=shown,
            tell=console.note,
        )
    _show_outcome(outcome, as_json=as_json)


def _list(*, as_json: bool) -> None:
    from dataclasses import asdict

    from featkit.studies import bundled_studies

    studies = bundled_studies()
    if as_json:
        console.print_json([asdict(study) for study in studies])
        return
    rows = [
        {
            "study": study.name,
            "what": study.about,
            "published": "\n".join(study.published) or "no number",
            "data": study.expects,
        }
        for study in studies
    ]
    console.show_table(rows, left=list(rows[0]))


def _show_state(state: StudyState, *, as_json: bool) -> None:
    if as_json:
        console.print_json(
            {
                "study": state.study.name,
                "folder": str(state.folder),
                "changes": list(state.changes),
                "runs_missing": state.runs_missing,
                "runs_kept": state.runs_kept,
                "seconds": state.seconds,
                "steps": [
                    {
                        "name": step.name,
                        "state": step.state,
                        "done": step.done,
                        "total": step.total,
                        "seconds": step.seconds,
                        "basis": step.basis,
                    }
                    for step in state.steps
                ],
            }
        )
        return
    rows = [
        {
            "step": step.name,
            "state": step.state,
            "time": "" if step.seconds is None else duration(step.seconds),
            "estimated from": step.basis,
        }
        for step in state.steps
    ]
    console.show_table(
        rows,
        title=f"{state.study.name} in {state.folder}",
        caption=f"{state.runs_missing} Runs to be made, {state.runs_kept} there; about "
        f"{duration(state.seconds)} to go, reports not counted.",
        left=["step", "state", "estimated from"],
    )
    for arm in state.random:
        _warn_random(arm)
    for change in state.changes:
        console.note(f"changed: {change}")


def _show_outcome(outcome: Outcome, *, as_json: bool) -> None:
    page = outcome.folder / "study.html"
    if outcome.ungrouped:
        console.warn("every image is a group of its own: no column says which belong together")
    if as_json:
        console.print_json(
            {
                "study": outcome.study.name,
                "folder": str(outcome.folder),
                "page": str(page),
                "trained": outcome.trained,
                "reused": outcome.reused,
                "random": list(outcome.random),
                "rows": list(outcome.rows),
            }
        )
        return
    for arm in outcome.random:
        _warn_random(arm)
    console.show_table(outcome.rows, title=outcome.study.name, left=list(outcome.rows[0]))
    console.say(f"{outcome.trained} Runs trained, {outcome.reused} were there; {page}")


def _warn_random(arm: str) -> None:
    console.stdout().print(
        f"[bold red]Arm {console.escape(arm)}: random split, photographs of one lesion on both "
        "sides; it leaks.[/]"
    )
