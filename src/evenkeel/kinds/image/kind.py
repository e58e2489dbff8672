"""Images: one answer for each, be it a class, several labels or a number; or images like them, made from a code.

Without `kind` given, images are: a folder with a folder of image files for each class; a table with a column of paths
of image files that exist, or a list of them; IDX files; Pillow's images; arrays of bytes with 3 or 4 axes, and any
array with 4 axes.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from evenkeel.data.dataset import (
    FEWEST_ROWS,
    Augment,
    Dataset,
    Fitted,
    Labelled,
    labelled_dataset,
    set_target_apart,
    split_of,
)
from evenkeel.data.fields import Field, Fields
from evenkeel.data.target import Target, encode_target, present_rows, take_target
from evenkeel.errors import DataError, RequestError
from evenkeel.kinds.base import Answered, Asked, Kind, Prepared
from evenkeel.kinds.image.augment import Affine
from evenkeel.kinds.image.baselines import RIVALS
from evenkeel.kinds.image.body import image_body
from evenkeel.kinds.image.read import Images, encode_images, file_names, images_like, read_images, recognises_images
from evenkeel.kinds.image.schema import ImageOptions, ImageSchema, fit_images
from evenkeel.kinds.image.target import as_images, flat_images, target_of
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice, infer_task

FOLDED_FROM, FOLDED_TO = 24, 64  # pixels of the longer side: below nothing is gained, from there the CNN strides itself
SHOWN_SIDE, SHOWN_BYTES = 48, 4_000_000  # of the test images kept for the report's pictures
# Images that a training sees in all, within these numbers of passes: small sets are seen often.
SEEN, FEWEST_EPOCHS, MOST_EPOCHS = 400_000, 6, 60
# Channels of the first of four stages below and from this many training rows: a wide net learns few images by heart.
NARROW, WIDE, WIDE_FROM = 16, 32, 5000
PATCHES = 8  # along the longer side, for a net that reads patches


def prepare_images(data: Any, asked: Asked) -> Prepared:
    """Read, infer the task, split and scale.

    Raises:
        DataError: the images cannot be used; the message says what to change.
        RequestError: no answers are known, or the task needs others.
    """
    options = asked.options if isinstance(asked.options, ImageOptions) else ImageOptions()
    images = read_images(data, options, asked.target, "none" if asked.task == "generation" else "folders")
    if images.parts is not None and asked.request.how == "random":
        asked = dataclasses.replace(asked, request=dataclasses.replace(asked.request, how=images.parts))
    if asked.task == "generation":
        return _generated(images, options, asked)
    told: list[str] = [*images.lost]
    try:
        return _answered(data, images, options, asked, told)
    except DataError as problem:
        if not told:
            raise
        # What was left out may be all there is to the fault.
        raise DataError(f"{problem}. {' '.join(told)}") from problem


def _answered(data: Any, images: Images, options: ImageOptions, asked: Asked, told: list[str]) -> Prepared:
    """The dataset of images with answers; what rows are left out is added to `told`."""
    table = set_target_apart(images.frame, images.told or asked.target or _answers_of(data, images))
    told += table.notes
    choice = infer_task(table.target, asked.task or ("single-label" if images.told else None))
    if images.told and asked.task is None:
        choice = dataclasses.replace(choice, reason="each folder is a class" if images.folders else "as labelled")
    pixels = images.pixels if len(table.rows) == len(images.pixels) else images.pixels[torch.from_numpy(table.rows)]
    table = dataclasses.replace(
        table, rows=images.rows[table.rows], height=images.height, notes=(*images.notes, *table.notes)
    )

    def fit(columns: Any, answers: Tensor, train: np.ndarray) -> Fitted:
        schema = fit_images(pixels, train, options, fold=_fold(pixels, options), column=images.images)
        notes = (f"Columns {columns.columns[:8]} are not read: the images alone are.",) if columns.width else ()
        augment = _augment(options, asked.request.seed)
        return Fitted(schema=schema, inputs={"pixels": pixels}, notes=notes, augment=augment)

    dataset = labelled_dataset(table, choice.kind, asked.request, fit, weight=asked.weight, source=images.source)
    return Prepared(dataset=dataset, choice=choice)


def _answers_of(data: Any, images: Images) -> str | list[str]:
    """The columns that `(X, y)` became, where no target is named."""
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


def _generated(images: Images, options: ImageOptions, asked: Asked) -> Prepared:
    """The dataset whose answers are the images."""
    pixels, count = images.pixels, len(images.pixels)
    if count < FEWEST_ROWS:
        raise DataError(f"expected at least {FEWEST_ROWS} images, got {count}; a part of them must be held out")
    if asked.weight is not None:
        raise RequestError("images that are to be generated all count the same; leave out sample_weight")
    table = Labelled(
        features=images.frame, target=images.frame, rows=images.rows, height=images.height, notes=images.notes
    )
    split, _ = split_of(table, torch.zeros(count), "inputs", asked.request)
    schema = fit_images(pixels, split.train, options, fold=_fold(pixels, options), column=images.images)
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
    """Side of the blocks that a CNN takes as one position."""
    longest = max(pixels.shape[2:])
    return options.fold if options.fold is not None else 2 if FOLDED_FROM <= longest < FOLDED_TO else 1


def _augment(options: ImageOptions, seed: int) -> Augment | None:
    """How training images are varied; mirrored alone where that is all that is asked for."""
    if options.augment == "none" and options.flip == "never":
        return None
    if options.augment == "none":
        return Affine(seed=seed, shift=0.0, turn=0.0, size=0.0, slant=0.0, flip=options.flip)
    return Affine(seed=seed, flip=options.flip)


def encode_new_images(schema: ImageSchema, new: Any) -> Fields:
    """New images as the network's input; of a pair (X, y) the first."""
    return {"pixels": encode_images(schema, new)}


def answers_of_images(schema: ImageSchema, target: Target, new: Any) -> Answered:
    """New images whose answers are known: folders, tables, arrays or IDX files as for training.

    Raises:
        DataError: they come without answers.

    Warns:
        UserWarning: files that cannot be read, or that lie in no folder of a class, are left out.
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
    """Say what an evaluation leaves out."""
    for sentence in sentences:
        warnings.warn(sentence, stacklevel=2)


def keys_of_images(schema: ImageSchema, new: Any) -> Mapping[str, Sequence[str]]:
    """The files that predictions belong to; images in memory have no names."""
    names = file_names(schema, new)
    return {"file": list(names)} if names else {}


def image_recipe(net: str, dataset: Dataset, choice: TaskChoice) -> Mapping[str, Any]:
    """Defaults for images, from how many there are and how large they are."""
    rows, longest = len(dataset.split.train), max(_pixels(dataset).shape[2:])
    epochs = min(max(SEEN // rows, FEWEST_EPOCHS), MOST_EPOCHS)
    shared = {"members": None, "bins": None, "epochs": epochs, "evaluations": epochs, "patience": 1.0}
    shared |= {"batch_size": 128 if rows >= 10_000 else 64 if rows >= 1000 else 32}
    if net == "transformer":
        patch = max(1, round(longest / PATCHES))
        sizes = {"width": 128, "depth": 4, "norm": "layer", "activation": "gelu", "dropout": 0.1}
        return {**shared, **sizes, "learning_rate": 1e-3, "net_options": {"patch": patch}}
    width = WIDE if rows >= WIDE_FROM else NARROW
    sizes = {"width": width, "depth": 4, "norm": "auto", "activation": "relu", "dropout": 0.0}
    if choice.task == "generation":
        return {**shared, **sizes, "learning_rate": 1e-3, "weight_decay": 0.0}
    return {**shared, **sizes, "learning_rate": 3e-3, "weight_decay": 1e-2}


def shown_images(dataset: Dataset, rows: Tensor) -> Mapping[str, Tensor]:
    """Small versions of test images for the report, evenly spread where there are many; `place` is among the rows."""
    pixels = _pixels(dataset)
    size = (min(pixels.shape[2], SHOWN_SIDE), min(pixels.shape[3], SHOWN_SIDE))
    most = max(1, SHOWN_BYTES // (pixels.shape[1] * size[0] * size[1]))
    place = torch.arange(0, len(rows), max(1, -(-len(rows) // most)))
    schema = dataset.schema
    low, high = (schema.low, schema.high) if isinstance(schema, ImageSchema) else (0.0, 255.0)
    small = functional.adaptive_avg_pool2d(pixels[rows[place]].float(), size)
    scaled = (small - low) / max(high - low, 1e-12) * 255
    return {"pixels": scaled.round().clamp(0, 255).to(torch.uint8), "place": place}


def _pixels(dataset: Dataset) -> Tensor:
    """All images."""
    found: Field = dataset.inputs["pixels"]
    if not isinstance(found, Tensor):
        raise TypeError("images are one tensor")
    return found


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
    rivals=RIVALS,
    restore=as_images,
    keep=shown_images,
    keys=keys_of_images,
)
