"""The kind pair: two things that belong together in each row, embedded near each other by symmetric InfoNCE."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl
import torch
from pydantic import Field

from evenkeel.data.dataset import FEWEST_ROWS, Augment, Dataset, EncodedRows, LabelledTable, dataset_of, hold_out
from evenkeel.data.fields import in_form
from evenkeel.data.schema import Frozen
from evenkeel.data.target import Target
from evenkeel.data.weights import BALANCED
from evenkeel.errors import DataError, RequestError, choices
from evenkeel.kinds.base import Answered, DataRequest, Encoded, Kind, Prepared
from evenkeel.kinds.pair.body import pair_body
from evenkeel.kinds.pair.new import read_new
from evenkeel.kinds.pair.read import LEFT, RIGHT, RawPairs, alike, read_pairs
from evenkeel.kinds.pair.recipe import net_of_side, pair_recipe
from evenkeel.kinds.pair.request import check_request
from evenkeel.kinds.pair.schema import PairSchema, encode_pairs, fit_pairs, one_net_fits
from evenkeel.kinds.pair.sides import reader_of
from evenkeel.kinds.side import SideRequest
from evenkeel.shapes import Tensor
from evenkeel.task import TaskChoice

LARGEST_SHARE = 0.5  # of the pairs that may be linked with one another, if a part is to be held out


class PairOptions(Frozen):
    """Options of reading pairs."""

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


def prepare_pairs(data: Any, request: DataRequest[PairOptions]) -> Prepared[PairSchema]:
    """Read both sides, keep similar pairs together, split and encode.

    Raises:
        DataError: the data cannot be used; the message says what to change.
        RequestError: a target, another task than `embedding`, or missing sides.
    """
    options, named = request.options, _columns(request.options)
    check_request(data, request, [name for side in named.values() for name in side])
    order = "bag" if request.net in ("", "mlp", "cnn") else "order"
    side_request = SideRequest(options=options.model_dump(), order=order, seed=request.split.seed)
    pairs = read_pairs(data, named, _split_columns(request), side_request)
    table = _table(pairs, request)
    rows = hold_out(table, "pairs", request.split, weight=request.weight)
    towers = _towers(options, pairs)
    schema = fit_pairs(pairs, rows.split.train, side_request, towers=towers, temperature=options.temperature)
    inputs, augment = encode_pairs(schema, pairs), _augment(schema, side_request)
    fitted = EncodedRows(schema=schema, inputs=inputs, notes=_notes(schema), augment=augment)
    source = str(data) if isinstance(data, (str, Path)) else f"a {type(data).__name__} of {len(table.rows)} pairs"
    choice = TaskChoice(task="embedding", kind="pairs", counts=False, reason="pairs of things that belong together")
    return Prepared(dataset=_completed(dataset_of(rows, fitted, source), pairs, request, choice), choice=choice)


def _table(pairs: RawPairs, request: DataRequest[PairOptions]) -> LabelledTable:
    """Build a table with a row for each pair; the target is a number that similar pairs share.

    Raises:
        DataError: too few pairs, or nearly all of them are linked with one another.
    """
    if len(pairs.rows) < FEWEST_ROWS:
        raise DataError(
            f"expected at least {FEWEST_ROWS} pairs, got {len(pairs.rows)}; a part of them must be held out to measure "
            "the result"
        )
    numbers = alike(pairs, _group(pairs, request))
    _check_links(numbers, request)
    name = " and ".join(columns[0] if len(columns) == 1 else side for side, columns in pairs.columns.items())
    return LabelledTable(
        features=pairs.rest,
        target=pl.DataFrame({name: numbers}),
        rows=pairs.rows,
        height=pairs.height,
        notes=pairs.notes,
    )


def _columns(options: PairOptions) -> dict[str, list[str]]:
    """Parse the columns of each side, where they are named."""
    named = {LEFT: options.left, RIGHT: options.right}
    if all(value is None for value in named.values()):
        return {}
    if None in named.values():
        missing = next(side for side, value in named.items() if value is None)
        raise RequestError(f"name both sides or none; {missing!r} is missing: settings={{'{missing}': 'its column'}}")
    return {side: [name.strip() for name in str(value).split(",")] for side, value in named.items()}


def _split_columns(request: DataRequest[PairOptions]) -> list[str]:
    """List the columns by which pairs are split or weighted."""
    options, how = request.options, request.split.how
    columns = [how.partition(":")[2]] if isinstance(how, str) and ":" in how else []
    columns += [] if options.alike is None else [options.alike]
    return [*columns, request.weight] if isinstance(request.weight, str) and request.weight != BALANCED else columns


def _group(pairs: RawPairs, request: DataRequest[PairOptions]) -> list[object] | None:
    """Return the group of each pair, which makes pairs similar besides a shared side; None without groups."""
    options, how = request.options, request.split.how
    named = how.removeprefix("group:") if isinstance(how, str) and how.startswith("group:") else None
    name = options.alike if options.alike is not None else named
    if name is None:
        return None
    if name not in pairs.rest.columns:
        raise DataError(f"there is no column {name!r} of groups; {choices(pairs.rest.columns, name)}")
    return pairs.rest[name].to_list()


def _check_links(numbers: np.ndarray, request: DataRequest[PairOptions]) -> None:
    """Refuse pairs that are nearly all linked with one another, which leave nothing to hold out."""
    largest = int(np.bincount(numbers).max())
    held = request.split.validation + request.split.test
    if request.split.how == "random" and held > 0 and largest > LARGEST_SHARE * len(numbers):
        raise DataError(
            f"{largest} of {len(numbers)} pairs are linked by values that their sides share, and only whole groups are "
            "held out; take columns that tell things apart, or say how to split: split='group:COLUMN', or a word a row"
        )


def _towers(options: PairOptions, pairs: RawPairs) -> int:
    """Choose one net where both sides are equal in kind and size and not a table, whose columns differ in meaning."""
    if options.towers != "auto":
        return 1 if options.towers == "one" else 2
    left = pairs.sides[LEFT]
    table = isinstance(left, pl.DataFrame) and (left.width != 1 or left.dtypes[0] != pl.String)
    return 1 if one_net_fits(pairs) and not table else 2


def _notes(schema: PairSchema) -> tuple[str, ...]:
    """Return one sentence for each column that is left out."""
    return tuple(f"Column {column.name!r} is {column.note}." for column in schema.columns if column.note)


def _completed(
    dataset: Dataset[PairSchema], pairs: RawPairs, request: DataRequest[PairOptions], choice: TaskChoice
) -> Dataset[PairSchema]:
    """Add the settings of each side's net, by its own kind, and the groups that must not meet in a batch."""
    options, together = request.options, dataset.target
    sides = {}
    for name, width in ((LEFT, options.left_width), (RIGHT, options.right_width)):
        net = net_of_side(dataset, name, choice, net=request.net, width=width)
        sides[name] = dataset.schema.side(name).model_copy(update={"net": net})
    groups = in_form(together, Tensor)
    return dataclasses.replace(
        dataset,
        schema=dataset.schema.model_copy(update=sides),
        target=torch.from_numpy(alike(pairs)),
        alike=groups if len(groups.unique()) < len(groups) else None,
    )


def _augment(schema: PairSchema, side_request: SideRequest) -> Augment | None:
    """Combine the augmentations of both sides, each by its own kind."""
    return _of_sides({name: reader_of(schema.side(name).name).augment(side_request) for name in (LEFT, RIGHT)})


def _of_sides(augments: Mapping[str, Augment | None]) -> Augment | None:
    """Combine augmentations by side to one of the whole batch; None where there are none."""
    used = {f"{name}_": vary for name, vary in augments.items() if vary is not None}
    if not used:
        return None

    def vary_sides(inputs: Mapping[str, Tensor], rows: Tensor, epoch: int) -> Mapping[str, Tensor]:
        varied = dict(inputs)
        for prefix, vary in used.items():
            own = {key.removeprefix(prefix): value for key, value in inputs.items() if key.startswith(prefix)}
            varied |= {f"{prefix}{key}": value for key, value in vary(own, rows, epoch).items()}
        return varied

    return vary_sides


def encode_new(schema: PairSchema, new: Any) -> Encoded:
    """Encode new pairs, or one side alone."""
    return Encoded(inputs=encode_pairs(schema, read_new(schema, new)))


def answers_of_pairs(schema: PairSchema, target: Target, new: Any) -> Answered:
    """Encode new pairs, and number the similar ones alike.

    Raises:
        DataError: one side is missing, so that there are no partners.
    """
    pairs = read_new(schema, new)
    if len(pairs.sides) < 2:
        raise DataError(f"expected both sides to be evaluated, got {list(pairs.sides)}; try run.embed for one side")
    return Answered(inputs=encode_pairs(schema, pairs), target=torch.from_numpy(alike(pairs)))


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
