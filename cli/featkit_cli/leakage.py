"""What `featkit compare --leakage` does: train with and without the leak, compare, show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from featkit.errors import UsageError
from featkit_cli import console
from featkit_cli.options import TableForm, parse_budgets
from featkit_cli.progress import shown_progress

__all__ = ["check_options", "measure"]


def check_options(given: Mapping[str, object], *, leakage: bool) -> None:
    """Refuse options that would have no effect.

    Args:
        given: Those that have none beside --leakage, or without it, by name; None = not given.
        leakage: Whether --leakage is given.

    Raises:
        UsageError: One of them is given.
    """
    for name, value in given.items():
        if value is not None:
            said = "--leakage does not use it" if leakage else "it is an option of --leakage"
            remedy = "Leave one of the two out" if leakage else "Add --leakage, or leave it out"
            raise UsageError(f"--{name}", cause=said, remedy=remedy)


def measure(
    features: Sequence[Path],
    runs: Sequence[Path],
    folder: Path,
    *,
    budgets: str | None,
    jobs: int | None,
    resamples: int,
    seed: int,
    form: TableForm,
    as_json: bool,
) -> None:
    """Repeat the heads' Runs on leaky and clean training sets and show what differs."""
    from featkit.comparison import measure_leakage
    from featkit.features import FeatureStore
    from featkit.report import leakage_class_rows, leakage_note, leakage_rows, write_leakage
    from featkit.sweep import fit_leakage

    stores = [FeatureStore.open(path) for path in features]
    with console.interruptible(), shown_progress() as shown:
        wanted = None if budgets is None else parse_budgets(budgets)
        fit_leakage(stores, runs, folder, budgets=wanted, jobs=jobs, progress=shown)
        found = measure_leakage(folder, runs, resamples=resamples, seed=seed, progress=shown)
    paths = write_leakage(found, folder, form=form.value)
    if as_json:
        console.print_json(found.to_dict())
        return
    console.show_table(
        leakage_rows(found),
        title="Balanced accuracy without and with images of tested lesions in the training set",
        caption=leakage_note(found),
        left=["method"],
    )
    best = found.best()
    console.show_table(
        leakage_class_rows(found, method=best),
        title=f"Recall by class at {found.training[-1].budget:g}%: {best}",
        caption="Those of the other methods are in the files.",
        left=["method", "class"],
    )
    for path in paths:
        console.stdout().print(f"[dim]wrote[/] {console.escape(str(path))}")
