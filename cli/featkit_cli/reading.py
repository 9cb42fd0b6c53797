"""The DATA argument and the options that say how it is read, given to every command alike."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from featkit_cli.providing import UNIMPORTED, provides

if TYPE_CHECKING:
    from featkit.data import Dataset

__all__ = ["may_read_data", "reads_data"]


def _options(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="A path or URL (s3://, gs://, https://) whose layout is recognised, or KIND:PATH "
            "with KIND one of ham10000, isic, folder, csv, hmnist, medmnist, webdataset, or one "
            "that an installed plugin adds; or synthetic[:images=N,seed=S,size=PX].",
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
        str | None, typer.Option(metavar="DIR", help="csv: folder that image paths start from.")
    ] = None,
    lesions: Annotated[
        str | None, typer.Option(metavar="FILE", help="isic: CSV that groups images by lesion.")
    ] = None,
) -> Dataset:
    """Read the data set that the options describe."""
    from featkit.data import CsvColumns, limit_dataset, load_dataset

    columns = CsvColumns.stated(
        image=image_column,
        label=label_column,
        group=group_column,
        id=id_column,
        split=split_column,
        root=images,
    )
    dataset = load_dataset(data, columns=columns, lesions=lesions)
    return dataset if limit is None else limit_dataset(dataset, limit)


reads_data = provides("read", _options)
"""Gives a command DATA and its options; it gets, as `read`, what reads the Dataset."""


def _optional(**given: Any) -> Dataset | None:
    """Read the data set that the options describe, if they name one."""
    return None if given["data"] is None else _options(**given)


_required = inspect.signature(_options, eval_str=True, locals=UNIMPORTED)
_optional.__signature__ = _required.replace(  # type: ignore[attr-defined]
    parameters=[
        each.replace(default=None) if each.name == "data" else each
        for each in _required.parameters.values()
    ]
)

may_read_data = provides("read", _optional)
"""Gives a command the same where it can do without DATA; what it gets then reads None."""
