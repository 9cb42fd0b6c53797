"""The DATA argument and the options that say how it is read, given to every command alike."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featkit.errors import UsageError

if TYPE_CHECKING:
    from featkit.data import Dataset

__all__ = ["reads_data"]


def _options(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A path whose layout is recognised, or KIND:PATH with KIND one of ham10000, "
            "isic, folder, csv, hmnist, medmnist; or synthetic[:images=N,seed=S,size=PX].",
        ),
    ],
    limit: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Take about N images: a stratified sample of whole lesions, always the same.",
        ),
    ] = None,
    image_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="csv: column of image paths.")
    ] = None,
    label_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="csv: column of labels.")
    ] = None,
    group_column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="csv: column of what stays together (lesion, patient)."),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="csv: column of image ids.")
    ] = None,
    split_column: Annotated[
        str | None, typer.Option(metavar="NAME", help="csv: column of the official split.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="csv: folder that image paths start from.")
    ] = None,
    lesions: Annotated[
        Path | None, typer.Option(metavar="FILE", help="isic: CSV that groups images by lesion.")
    ] = None,
) -> Dataset:
    """Read the data set that the options describe."""
    from featkit.data import CsvColumns, limit_dataset, load_dataset

    columns = None
    if image_column and label_column:
        columns = CsvColumns(
            image_column, label_column, group_column, id_column, split_column, images
        )
    elif any((image_column, label_column, group_column, id_column, split_column, images)):
        raise UsageError(
            "the columns of the table are not clear",
            cause="--image-column and --label-column are needed beside the other column options",
            remedy="Give both",
        )
    dataset = load_dataset(data, columns=columns, lesions=lesions)
    return dataset if limit is None else limit_dataset(dataset, limit)


def reads_data(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command DATA and its options; it gets, as first argument, what reads the Dataset.

    The reading is left to the command, so that it happens inside its progress and error handling.
    """
    unimported = {"Dataset": Any}  # its import is heavy, and its type of no use here
    theirs = inspect.signature(command, eval_str=True, locals=unimported)
    ours = inspect.signature(_options, eval_str=True, locals=unimported)
    rest = list(theirs.parameters.values())[1:]
    first, *others = ours.parameters.values()

    @functools.wraps(command)
    def wrapper(**values: Any) -> None:
        mine = {name: values.pop(name) for name in ours.parameters}
        command(functools.partial(_options, **mine), **values)

    parameters = [first, *rest, *others]
    keyword = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in parameters]
    wrapper.__signature__ = inspect.Signature(keyword)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {p.name: p.annotation for p in parameters}
    return wrapper
