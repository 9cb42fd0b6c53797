"""Data sets: reading them from their layouts, decoding, checking and limiting them."""

from __future__ import annotations

from featkit.data.check import DatasetCheck, DuplicateGroup, check_dataset
from featkit.data.dataset import Dataset, ImageSource
from featkit.data.decoding import ImageError, decode_image, pixel_hash
from featkit.data.given import GivenImages, dataset_of
from featkit.data.info import ClassRow, class_table
from featkit.data.limit import limit_dataset
from featkit.data.loading import load_dataset
from featkit.data.reader import CsvColumns, Reader, ReaderOptions
from featkit.data.readers.table import unlabelled_columns
from featkit.data.shards import ShardImages
from featkit.data.sources import ArrayImages, EncodedImages, FileImages
from featkit.data.synthetic import synthetic_dataset, write_sample

__all__ = [
    "ArrayImages",
    "ClassRow",
    "CsvColumns",
    "Dataset",
    "DatasetCheck",
    "DuplicateGroup",
    "EncodedImages",
    "FileImages",
    "GivenImages",
    "ImageError",
    "ImageSource",
    "Reader",
    "ReaderOptions",
    "ShardImages",
    "check_dataset",
    "class_table",
    "dataset_of",
    "decode_image",
    "limit_dataset",
    "load_dataset",
    "pixel_hash",
    "synthetic_dataset",
    "unlabelled_columns",
    "write_sample",
]
