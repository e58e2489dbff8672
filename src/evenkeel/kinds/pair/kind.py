"""Pairs: two things that belong together in each row, brought near each other by InfoNCE in both directions."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from pydantic import Field

from evenkeel.data.dataset import FEWEST_ROWS, Augment, Dataset, Fitted, Labelled, labelled_dataset
from evenkeel.data.fields import Fields
from evenkeel.data.schema import Frozen
from evenkeel.data.target import Target
from evenkeel.data.weights import BALANCED
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.base import Answered, Asked, Kind, Prepared
from evenkeel.kinds.image.schema import ImageOptions
from evenkeel.kinds.pair.body import pair_body, side_data, usual_dropout
from evenkeel.kinds.pair.new import read_new
from evenkeel.kinds.pair.request import check_request
from evenkeel.kinds.pair.schema import (
    LEFT,
    RIGHT,
    PairSchema,
    RawPairs,
    SideSchema,
    alike,
    encode_pairs,
    fit_pairs,
    one_net_fits,
    read_pairs,
)
from evenkeel.kinds.pair.sides import SideRequest
from evenkeel.nets import PARTS as NETS
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice

LARGEST_SHARE = 0.5  # of the pairs that may be linked with one another, if a part is to be held out
# Recipes for answers are strict with small data; a partner among many strangers teaches more than an answer.
CHANGED: dict[tuple[str, str], dict[str, Any]] = {
    ("text", "mlp"): {"width": 128, "depth": 2, "dropout": 0.2},
    ("image", "cnn"): {"width": 16, "depth": 3, "dropout": 0.1},
}
WIDTH = 128  # units of a side's net where its kind says nothing
OF_NET = ("net", "width", "depth", "skip", "activation", "norm", "dropout")


class PairOptions(Frozen):
    """How pairs are read."""

    left: str | None = Field(None, description="column of the left side; several columns of numbers: a,b,c")
    right: str | None = Field(None, description="column of the right side; several columns of numbers: a,b,c")
    alike: str | None = Field(
        None, description="column of groups: pairs of one group stay together in a split and never meet in a batch"
    )
    towers: Literal["auto", "one", "two"] = Field(
        "auto", description="one net for both sides or one for each; auto: one where both are texts or equal images"
    )
    left_width: int | None = Field(None, ge=1, description="width of the left side's net; None: as its kind chooses")
    right_width: int | None = Field(None, ge=1, description="width of the right side's net; None: as its kind chooses")
    temperature: float = Field(0.1, gt=0, description="of the loss at first; it is learned with the weights")
    pixels: int | None = Field(
        None, ge=4, le=1024, description="side of the square that images are brought to; None: their own size up to 224"
    )
    cache: str = Field("auto", description="folder of decoded images; auto: the user's cache; none: not kept")
    augment: Literal["auto", "none"] = Field("auto", description="auto: images are varied a little while training")
    flip: Literal["never", "horizontal"] = Field("never", description="horizontal: left and right of images may change")


def prepare_pairs(data: Any, asked: Asked) -> Prepared:
    """Read both sides, keep together what is alike, split and encode.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: a target, another task than `embedding`, or sides that are not there.
    """
    options = asked.options
    assert isinstance(options, PairOptions)
    named = _columns(options)
    check_request(data, asked, [name for side in named.values() for name in side])
    request = SideRequest(
        images=ImageOptions(pixels=options.pixels, cache=options.cache),
        order="bag" if asked.net in ("", "mlp", "cnn") else "order",
    )
    pairs = read_pairs(data, named, _aside(asked, options), request)
    if len(pairs.rows) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} pairs, got {len(pairs.rows)}; a part of them must be held out to measure "
            "the result"
        )
    group = _group(pairs, asked, options)
    numbers = alike(pairs, group)
    _check_links(numbers, asked)
    name = " and ".join(columns[0] if len(columns) == 1 else side for side, columns in pairs.columns.items())
    table = Labelled(
        features=pairs.rest,
        target=pl.DataFrame({name: numbers}),
        rows=pairs.rows,
        height=pairs.height,
        notes=pairs.notes,
    )
    towers = _towers(options, pairs)

    def fit(columns: pl.DataFrame, target: Tensor, train: np.ndarray) -> Fitted:
        schema = fit_pairs(pairs, train, request, towers=towers, temperature=options.temperature)
        return Fitted(schema=schema, inputs=encode_pairs(schema, pairs), notes=_notes(schema))

    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {len(numbers)} pairs"
    dataset = labelled_dataset(table, "pairs", asked.request, fit, weight=asked.weight, source=source)
    choice = TaskChoice(task="embedding", kind="pairs", counts=False, reason="pairs of things that belong together")
    return Prepared(dataset=_completed(dataset, pairs, asked, choice, options), choice=choice)


def _columns(options: PairOptions) -> dict[str, list[str]]:
    """The columns of each side, where they are named."""
    named = {LEFT: options.left, RIGHT: options.right}
    if all(value is None for value in named.values()):
        return {}
    if None in named.values():
        missing = next(side for side, value in named.items() if value is None)
        raise RequestError(f"name both sides or none; {missing!r} is missing: settings={{'{missing}': 'its column'}}")
    return {side: [name.strip() for name in str(value).split(",")] for side, value in named.items()}


def _aside(asked: Asked, options: PairOptions) -> list[str]:
    """Columns that say how to split or to weight."""
    how = asked.request.how
    aside = [how.partition(":")[2]] if isinstance(how, str) and ":" in how else []
    aside += [] if options.alike is None else [options.alike]
    return [*aside, asked.weight] if isinstance(asked.weight, str) and asked.weight != BALANCED else aside


def _group(pairs: RawPairs, asked: Asked, options: PairOptions) -> list[object] | None:
    """Which pairs are alike, besides those that share a side."""
    how = asked.request.how
    named = how.removeprefix("group:") if isinstance(how, str) and how.startswith("group:") else None
    name = options.alike if options.alike is not None else named
    if name is None:
        return None
    if name not in pairs.rest.columns:
        raise DataError(f"there is no column {name!r} of groups; {choices(pairs.rest.columns, name)}")
    return pairs.rest[name].to_list()


def _check_links(numbers: np.ndarray, asked: Asked) -> None:
    """Pairs that are nearly all linked with one another leave nothing to hold out."""
    largest = int(np.bincount(numbers).max())
    held = asked.request.validation + asked.request.test
    if asked.request.how == "random" and held > 0 and largest > LARGEST_SHARE * len(numbers):
        raise DataError(
            f"{largest} of {len(numbers)} pairs are linked by values that their sides share, and only whole groups are "
            "held out; take columns that tell things apart, or say how to split: split='group:COLUMN', or a word a row"
        )


def _towers(options: PairOptions, pairs: RawPairs) -> int:
    """One net reads both sides where they are equal in kind and size and no table, whose columns differ in meaning."""
    if options.towers != "auto":
        return 1 if options.towers == "one" else 2
    left = pairs.sides[LEFT]
    table = isinstance(left, pl.DataFrame) and (left.width != 1 or left.dtypes[0] != pl.String)
    return 1 if one_net_fits(pairs) and not table else 2


def _notes(schema: PairSchema) -> tuple[str, ...]:
    """One sentence for each column that is left out."""
    return tuple(f"Column {column.name!r} is {column.note}." for column in schema.columns if column.note)


def _completed(dataset: Dataset, pairs: RawPairs, asked: Asked, choice: TaskChoice, options: PairOptions) -> Dataset:
    """With the settings of each side's net, which its own kind chooses, how images vary, and who must not meet."""
    schema, augments = dataset.schema, {}
    assert isinstance(schema, PairSchema)
    sides = {}
    for name in (LEFT, RIGHT):
        own = side_data(dataset, name)
        width = options.left_width if name == LEFT else options.right_width
        sides[name] = schema.side(name).model_copy(update={"net": _net_of(own, choice, asked, width)})
        augments[name] = _augment(schema.side(name), asked, options)
    together = dataset.target
    assert isinstance(together, Tensor)
    return dataclasses.replace(
        dataset,
        schema=schema.model_copy(update=sides),
        augment=_of_sides(augments),
        target=torch.from_numpy(alike(pairs)),
        alike=together if len(together.unique()) < len(together) else None,
    )


def _net_of(own: Dataset, choice: TaskChoice, asked: Asked, width: int | None) -> dict[str, Any]:
    """The net of a side and its settings: the one asked for where it reads such data, else the default of its kind."""
    from evenkeel.kinds import PARTS as KINDS

    kind = KINDS[own.schema.kind]
    asks = asked.net in NETS and kind.name in NETS[asked.net].reads
    net = asked.net if asks else kind.net
    recipe = dict(kind.recipe(net, own, choice))
    found: dict[str, Any] = {"width": WIDTH, "depth": 2, "dropout": 0.1}
    found |= {key: value for key, value in recipe.items() if key in OF_NET}
    found |= {**recipe.get("net_options", {}), "net": net, **CHANGED.get((kind.name, net), {})}
    return found if width is None else {**found, "width": width}


def _augment(side: SideSchema, asked: Asked, options: PairOptions) -> Augment | None:
    """What varies the images of a side."""
    from evenkeel.kinds.image.augment import Affine

    if side.name != "image" or options.augment == "none":
        return None
    return Affine(seed=asked.request.seed, flip=options.flip)


def _of_sides(augments: Mapping[str, Augment | None]) -> Augment | None:
    """The batch with each side varied by its own."""
    used = {f"{name}_": vary for name, vary in augments.items() if vary is not None}
    if not used:
        return None

    def vary_sides(inputs: Mapping[str, Tensor], rows: Tensor, epoch: int) -> Mapping[str, Tensor]:
        found = dict(inputs)
        for prefix, vary in used.items():
            own = {key.removeprefix(prefix): value for key, value in inputs.items() if key.startswith(prefix)}
            found |= {f"{prefix}{key}": value for key, value in vary(own, rows, epoch).items()}
        return found

    return vary_sides


def encode_new(schema: PairSchema, new: Any) -> Fields:
    """New pairs, or one side alone, as fields."""
    return encode_pairs(schema, read_new(schema, new))


def answers_of_pairs(schema: PairSchema, target: Target, new: Any) -> Answered:
    """New pairs, and which of them are alike.

    Raises:
        DataError: one side is missing, so that nothing can be looked for.
    """
    pairs = read_new(schema, new)
    if len(pairs.sides) < 2:
        raise DataError(f"expected both sides to be evaluated, got {list(pairs.sides)}; try run.embed for one side")
    return Answered(inputs=encode_pairs(schema, pairs), target=torch.from_numpy(alike(pairs)))


def pair_recipe(net: str, dataset: Dataset, choice: TaskChoice) -> Mapping[str, Any]:
    """Large batches, as each is also what its rows must be told from; `width` is that of the embedding."""
    rows, schema = len(dataset.split.train), dataset.schema
    assert isinstance(schema, PairSchema)
    drawn = rows if dataset.alike is None else len(dataset.alike[torch.from_numpy(dataset.split.train)].unique())
    return {
        "width": 64,
        "depth": 1,
        "members": None,
        "bins": None,
        "dropout": usual_dropout(schema),
        "learning_rate": 2e-3,
        "weight_decay": 0.1,
        "batch_size": int(min(max(drawn // 4, 32), 128)),
        "updates": 1000,
        "patience": 0.5,
    }


PAIR = Kind(
    name="pair",
    summary="two things that belong together in each row: texts, images or columns, in a table or as (left, right)",
    source="Radford et al. 2021, arXiv:2103.00020",
    schema=PairSchema,
    recognises=lambda data: isinstance(data, Mapping) and set(data) == {LEFT, RIGHT},
    rank=10,
    prepare=prepare_pairs,
    encode=encode_new,
    answers=answers_of_pairs,
    net="mlp",
    recipe=pair_recipe,
    body=pair_body,
    options=PairOptions,
)
