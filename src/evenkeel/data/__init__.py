"""From files, frames and arrays to tensors: reading, column kinds, splits, scaling, and the dataset record."""

from evenkeel.data.columns import Column
from evenkeel.data.dataset import Dataset, LabelledTable, SplitRequest, build_dataset, set_target_apart
from evenkeel.data.schema import Schema, encode, fit_schema
from evenkeel.data.split import Split
from evenkeel.data.table import SAMPLES, read_table
from evenkeel.data.target import Target, TargetKind, encode_target, take_target

__all__ = [
    "SAMPLES",
    "Column",
    "Dataset",
    "LabelledTable",
    "Schema",
    "Split",
    "SplitRequest",
    "Target",
    "TargetKind",
    "build_dataset",
    "encode",
    "encode_target",
    "fit_schema",
    "read_table",
    "set_target_apart",
    "take_target",
]
