"""The kind image: one answer for each, a class, several labels or a number; or generation of images from a code.

Without `kind`, these are recognised as images: a folder with a folder of image files for each class; a table with a
column of paths of image files that exist, or a list of them; IDX files; Pillow's images; arrays of bytes with 3 or 4
axes, and any array with 4 axes.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from evenkeel.data.dataset import (
    FEWEST_ROWS,
    Dataset,
    EncodedRows,
    LabelledTable,
    dataset_of,
    hold_out,
    set_target_apart,
    split_of,
)
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.image.augment import augmentation
from evenkeel.kinds.image.baselines import BASELINES
from evenkeel.kinds.image.body import image_body
from evenkeel.kinds.image.listing import Classes
from evenkeel.kinds.image.pictures import image_pictures, keep_images
from evenkeel.kinds.image.read import Images, images_like, read_images, recognises_images
from evenkeel.kinds.image.recipe import image_recipe
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, fit_images
from evenkeel.kinds.image.side import IMAGE_SIDE
from evenkeel.kinds.image.target import as_images, flat_images, target_of
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task

FOLDED_FROM, FOLDED_TO = 24, 64  # pixels of the longer side: below folding gains nothing, above the CNN strides itself


def prepare_images(data: Any, request: DataRequest[ImageOptions]) -> Prepared[ImageSchema]:
    """Read, infer the task, split and scale.

    Raises:
        DataError: the images cannot be used; the message says what to change.
        RequestError: there are no answers, or the task needs others.
    """
    classes: Classes = "none" if request.task == "generation" else "folders"
    images = read_images(data, request.options, request.target, classes)
    if images.parts is not None and request.split.how == "random":
        request = dataclasses.replace(request, split=dataclasses.replace(request.split, how=images.parts))
    if request.task == "generation":
        return _generated(images, request)
    left_out: list[str] = [*images.lost]
    try:
        return _answered(data, images, request, left_out)
    except DataError as problem:
        if not left_out:
            raise
        # The rows that were left out may be the whole reason.
        raise DataError(f"{problem}. {' '.join(left_out)}") from problem


def _answered(
    data: Any, images: Images, request: DataRequest[ImageOptions], left_out: list[str]
) -> Prepared[ImageSchema]:
    """Build the dataset of images with answers; sentences on rows without one are added to `left_out`."""
    table = set_target_apart(images.frame, images.class_column or request.target or _answers_of(data, images))
    left_out += table.notes
    choice = infer_task(table.target, request.task or ("single-label" if images.class_column else None))
    if images.class_column and request.task is None:
        choice = dataclasses.replace(choice, reason="each folder is a class" if images.folders else "as labelled")
    pixels = images.pixels if len(table.rows) == len(images.pixels) else images.pixels[torch.from_numpy(table.rows)]
    table = dataclasses.replace(
        table, rows=images.rows[table.rows], height=images.height, notes=(*images.notes, *table.notes)
    )
    rows = hold_out(table, choice.kind, request.split, weight=request.weight)
    unread = rows.features.columns
    fitted = EncodedRows(
        schema=_fit(pixels, rows.split.train, images, request.options),
        inputs={"pixels": pixels},
        notes=(f"Columns {unread[:8]} are not read: the images alone are.",) if unread else (),
        augment=augmentation(request.options, request.split.seed),
    )
    return Prepared(dataset=dataset_of(rows, fitted, images.source), choice=choice)


def _fit(pixels: Tensor, train: np.ndarray, images: Images, options: ImageOptions) -> ImageSchema:
    """Learn the scale of the training rows and choose how a CNN folds images of this size."""
    return fit_images(pixels, train, options, fold=_fold(pixels, options), column=images.images)


def _answers_of(data: Any, images: Images) -> str | list[str]:
    """Find the columns of the answers of `(X, y)`, where no target is named."""
    names = [name for name in images.frame.columns if name == "target" or name.startswith("target_")]
    if isinstance(data, tuple) and names:
        return names[0] if len(names) == 1 else names
    if images.unlabelled:
        raise RequestError(f"{images.unlabelled}; or give (X, y), or task='generation' to make images like them")
    there = [name for name in images.frame.columns if name not in ("row", "file")]
    if there:
        raise RequestError(f"which column is to be predicted? Give target=...; there are: {there[:20]}")
    raise RequestError(
        "nothing is known of these images that could be learned; give a folder for each class, labels beside them, "
        "(X, y), or task='generation' to make images like them"
    )


def _generated(images: Images, request: DataRequest[ImageOptions]) -> Prepared[ImageSchema]:
    """Build the dataset whose answers are the images themselves."""
    pixels, count = images.pixels, len(images.pixels)
    if count < FEWEST_ROWS:
        raise DataError(f"expected at least {FEWEST_ROWS} images, got {count}; a part of them must be held out")
    if request.weight is not None:
        raise RequestError("images that are to be generated all count the same; leave out sample_weight")
    table = LabelledTable(
        features=images.frame, target=images.frame, rows=images.rows, height=images.height, notes=images.notes
    )
    split, _ = split_of(table, torch.zeros(count), "inputs", request.split)
    schema = _fit(pixels, split.train, images, request.options)
    dataset = Dataset(
        inputs={"pixels": pixels},
        target=flat_images(schema, pixels),
        weight=None,
        split=split,
        schema=schema,
        target_schema=target_of(schema),
        source=images.source,
        notes=images.notes,
    )
    return Prepared(
        dataset=dataset, choice=TaskChoice(task="generation", kind="inputs", counts=False, reason="as asked")
    )


def _fold(pixels: Tensor, options: ImageOptions) -> int:
    """Choose the side of the blocks that a CNN takes as one position."""
    longest = max(pixels.shape[2:])
    return options.fold if options.fold is not None else 2 if FOLDED_FROM <= longest < FOLDED_TO else 1


def encode_new_images(schema: ImageSchema, new: Any) -> Encoded:
    """Encode new images; of a pair (X, y) the first. Files are keys; images in memory have no names."""
    images = images_like(schema, new)
    return Encoded(inputs={"pixels": images.pixels}, keys={"file": list(images.files)} if images.files else {})


def answers_of_images(schema: ImageSchema, target: Target, new: Any) -> Answered:
    """Encode new images with answers: folders, tables, arrays or IDX files as for training.

    Raises:
        DataError: there are no answers.

    Warns:
        UserWarning: files that cannot be read, or that are in no folder of a class, are left out.
    """
    if target.kind == "inputs":
        images = images_like(schema, new, unreadable="leave out")
        _warn(images.lost)
        return Answered(inputs={"pixels": images.pixels}, target=flat_images(schema, images.pixels))
    named = target.columns[0] if len(target.columns) == 1 else target.columns
    images = images_like(schema, new, named, classes="folders", unreadable="leave out")
    _warn(images.lost)
    if set(images.frame.columns) <= {"row", "file"}:
        expected = images.unlabelled or (
            f"{images.source} holds images without the answer {target.name!r}, so nothing can be evaluated; expected a "
            "folder for each class, a table with that column, or (X, y)"
        )
        raise DataError(expected)
    answers, _ = take_target(images.frame, target.columns)
    rows = present_rows(answers)
    if not len(rows):
        raise DataError(f"no image has a value of the target {target.name!r}; nothing can be evaluated")
    pixels = images.pixels[torch.from_numpy(rows)]
    return Answered(inputs={"pixels": pixels}, target=encode_target(target, answers[rows]))


def _warn(sentences: Sequence[str]) -> None:
    """Warn of everything that an evaluation leaves out."""
    for sentence in sentences:
        warnings.warn(sentence, stacklevel=2)


IMAGE = Kind(
    name="image",
    summary="images: a folder for each class, tables of paths, IDX files, arrays (row, height, width[, channel])",
    source="Pillow's readers; LeCun, Cortes and Burges (IDX)",
    schema=ImageSchema,
    recognises=recognises_images,
    without_target=lambda data, task: task == "generation" and recognises_images(data),
    rank=20,
    prepare=prepare_images,
    encode=encode_new_images,
    answers=answers_of_images,
    net="cnn",
    recipe=image_recipe,
    body=image_body,
    options=ImageOptions,
    baselines=BASELINES,
    restore=as_images,
    keep=keep_images,
    pictures=image_pictures,
    side=IMAGE_SIDE,
)
