"""The recipe of a run as frozen data: which net, head and loss, how they start, and how they are trained.

A plan is chosen from the size of the data alone, never from a data set's name; every field can be overruled
(`--set width=128`), and the plan is saved with the run, so that the same command gives the same network.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_serializer

from evenkeel.errors import RequestError, choices
from evenkeel.heads import PARTS as HEADS
from evenkeel.heads import HeadPart
from evenkeel.heads.for_task import head_for, heads_of
from evenkeel.losses import PARTS as LOSSES
from evenkeel.losses.module import option_defaults
from evenkeel.task import TASKS

# Batches: about this many in an epoch, so that the gradient keeps some noise on small data, within these sizes.
BATCHES_AN_EPOCH, SMALLEST_BATCH, LARGEST_BATCH = 16, 32, 256
# Width of the hidden layers below and from this many training rows.
NARROW, WIDE, WIDE_FROM = 128, 256, 3000
# Dropout below and from this many rows: a small table is learned by heart within a hundred updates (LOG.md).
DROPOUT_SMALL, DROPOUT, DROPOUT_FROM = 0.3, 0.2, 2000
# Pieces of the piecewise-linear encoding; fewer than four bend too coarsely to be worth their weights.
FEWEST_BINS, MOST_BINS = 4, 32
MOST_PIECES = 512  # of all columns together: with more of them a wide table is learned by heart (LOG.md)
# The budget: passes over the rows, within these numbers of updates; early stopping ends most runs long before.
EPOCHS, FEWEST_UPDATES, MOST_UPDATES = 60, 3000, 20_000

Setting = bool | int | float | str | None
Norm = Literal["auto", "layer", "batch", "group", "instance", "graph", "rms"]


@dataclass(frozen=True, kw_only=True)
class ReadBy:
    """Who alone reads a setting: a task, a loss by name, a kind of data, our own nets; None: each of them.

    A setting with a `loss` is an option of that loss, under the setting's name; one with an `argument` is that argument
    of the task's head.
    """

    task: str | None = None
    loss: str | None = None
    kind: str | None = None
    net: Literal["own"] | None = None
    argument: str | None = None


OF_OUR_NET = ReadBy(net="own")


def _known_task(task: str) -> str:
    """The task, if a head answers it."""
    if task not in TASKS:
        raise ValueError(f"no task is called {task!r}; {choices(TASKS, task)}")
    return task


def _known_head(head: str | None) -> str | None:
    """The name, if a head has it."""
    if head is not None and head not in HEADS:
        raise ValueError(f"no head is called {head!r}; {choices(HEADS, head)}")
    return head


class Plan(BaseModel):
    """Everything that decides a run besides the data.

    Units: `learning_rate` per update; `updates` optimizer steps; shares are of `updates`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    task: Annotated[str, AfterValidator(_known_task)]
    counts: Annotated[bool, ReadBy(task="positive-regression", argument="counts")] = Field(
        False, description="whether a positive target is whole numbers"
    )
    loss: str | None = Field(None, description="a loss by name; None: the head's own")
    beta: Annotated[float, ReadBy(task="probabilistic-regression", loss="gaussian_nll")] = Field(
        0.0, ge=0, le=1, description="of the Gaussian loss: 0.5 favours the mean, 0 the likelihood"
    )
    gamma: Annotated[float, ReadBy(loss="focal")] = Field(2.0, ge=0, description="of the focal loss")
    positive: Annotated[Literal["softplus", "relu"], ReadBy(task="positive-regression", argument="activation")] = Field(
        "softplus", description="activation of the positive head"
    )

    net: str = "mlp"
    width: Annotated[int, OF_OUR_NET] = Field(128, ge=1)
    depth: Annotated[int, OF_OUR_NET] = Field(
        2, ge=1, description="layers of a plain net, blocks of two layers of a residual one"
    )
    skip: Annotated[Literal["residual", "plain"], OF_OUR_NET] = "residual"
    activation: Annotated[str, OF_OUR_NET] = "relu"
    norm: Annotated[Norm | None, OF_OUR_NET] = None
    dropout: Annotated[float, OF_OUR_NET] = Field(0.3, ge=0, lt=1)
    members: Annotated[int | None, OF_OUR_NET] = Field(
        8, ge=1, description="networks of the in-model ensemble; None: one network"
    )
    bins: Annotated[int | None, ReadBy(net="own", kind="table")] = Field(
        32, ge=2, description="pieces of the piecewise-linear encoding; None: numbers alone"
    )
    head: Annotated[str | None, AfterValidator(_known_head)] = Field(
        None, description="a head by name; None: the task's"
    )
    net_options: Mapping[str, Setting] = Field({}, description="further options of the net, by its own names")
    head_options: Mapping[str, Setting] = Field({}, description="further options of the head, by its own names")
    loss_options: Mapping[str, Setting] = Field({}, description="further options of the loss, by its own names")

    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = Field(2e-3, gt=0)
    weight_decay: float = Field(1e-2, ge=0)
    clip: float | None = Field(1.0, gt=0, description="largest gradient norm; None: no clipping")
    batch_size: int = Field(256, ge=1)
    updates: int = Field(4000, ge=1, description="budget of optimizer steps")
    warmup: float = Field(0.05, ge=0, le=1, description="share of the budget in which the rate rises")
    evaluations: int = Field(60, ge=1, description="looks at the validation part over the whole budget")
    patience: float = Field(0.25, gt=0, description="share of the budget without improvement that ends training")
    keep: Literal["best", "last"] = Field(
        "best", description="weights of the best look, which may end training early, or of the end of the budget"
    )
    time_limit: float | None = Field(None, gt=0, description="seconds of training")
    seed: int = Field(0, ge=0)

    @model_serializer(mode="wrap")
    def _without_empty(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """What nobody set of later settings is left out, so that runs from before there were any read as they did."""
        return {key: value for key, value in handler(self).items() if value or key not in LEFT_OUT}


LEFT_OUT = ("head", "head_options", "loss_options")


def is_read(setting: str, *, task: str, loss: str | None, kind: str, net: str, head: str | None = None) -> bool:
    """Whether a run of this task, loss, kind of data and origin of net reads a setting of the plan.

    A loss of None is the usual one of the head, and a head of None that of the task.

    Example:
        >>> is_read("gamma", task="single-label", loss="focal", kind="table", net="own")
        True
    """
    run = {"task": task, "loss": loss or head_for(task, name=head).call.default_loss, "kind": kind, "net": net}
    return all(getattr(reader, name) in (None, run[name]) for reader in _readers(setting) for name in run)


def head_arguments(plan: Plan) -> dict[str, Any]:
    """What the plan says to its head, by the names of the head's own arguments.

    Example:
        >>> head_arguments(Plan(task="positive-regression", positive="relu"))
        {'counts': False, 'activation': 'relu'}
    """
    taken = _arguments(head_for(plan.task, name=plan.head).call)
    planned = {
        reader.argument: getattr(plan, name)
        for name in Plan.model_fields
        for reader in _readers(name)
        if reader.argument in taken and reader.task in (None, plan.task)
    }
    return {**planned, **plan.head_options}


def loss_options(plan: Plan, loss: str) -> dict[str, Any]:
    """What the plan says to a loss by name, by the names of the loss's own options.

    Raises:
        RequestError: an option that this loss has not.

    Example:
        >>> loss_options(Plan(task="single-label"), "focal"), loss_options(Plan(task="single-label"), "cross_entropy")
        ({'gamma': 2.0}, {})
    """
    planned = {
        name: getattr(plan, name)
        for name in Plan.model_fields
        for reader in _readers(name)
        if reader.loss == loss and reader.task in (None, plan.task)
    }
    for name in plan.loss_options:
        known = _options(loss)
        if name not in known:
            raise RequestError(f"loss {loss!r} has no option {name!r}; {choices(known, name)}")
    return {**planned, **plan.loss_options}


def _options(loss: str) -> set[str]:
    """Names of what can be set of a loss; how its values are reduced is the head's affair."""
    return set(option_defaults(LOSSES[loss].call)) - {"reduction"}


def _readers(setting: str) -> list[ReadBy]:
    """Who alone reads a setting."""
    return [each for each in Plan.model_fields[setting].metadata if isinstance(each, ReadBy)]


def make_plan(
    task: str,
    *,
    rows: int,
    numbers: int = 1,
    counts: bool = False,
    settings: Mapping[str, Any] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Plan:
    """The default plan for so many training rows and number features, with `settings` laid over it.

    `recipe` holds the defaults of a kind of data and its net, where they differ from those of a table; it may say
    `epochs`, passes over the rows, instead of `updates`.

    Raises:
        RequestError: a setting that does not exist or has no sense.

    Example:
        >>> plan = make_plan("regression", rows=1000, settings={"width": 64})
        >>> plan.width, plan.batch_size
        (64, 64)
    """
    defaults = {"task": task, "counts": counts, **_by_size(rows, numbers)}
    settings = settings or {}
    heads = heads_of(task, settings.get("head"))
    alone = not any("members" in _arguments(head.call) for head in heads)
    settings, recipe = _sorted(heads, settings), {**(recipe or {}), **({"members": None} if alone else {})}
    usual = recipe.pop("epochs", None)
    epochs = settings.pop("epochs", None if "updates" in settings else usual)
    if epochs is not None and (not isinstance(epochs, int) or epochs < 1):
        raise RequestError(f"epochs must be a whole number of 1 or more, got {epochs!r}")
    try:
        plan = Plan(**{**defaults, **recipe, **settings})
        if plan.members is not None and alone:
            raise RequestError(f"task {task!r} takes one network, got members={plan.members}; leave `members` out")
        if epochs is None:
            return plan
        # The loop cuts an epoch into batches of nearly equal size, about `batch_size` each.
        return Plan(**{**plan.model_dump(), "updates": epochs * max(1, round(rows / plan.batch_size))})
    except ValidationError as problem:
        first = problem.errors()[0]
        raise RequestError(f"setting {first['loc'][0]} = {first['input']!r}: {first['msg'].lower()}") from problem


def _by_size(rows: int, numbers: int) -> dict[str, Any]:
    """The defaults that follow from the number of training rows and number features."""
    batch = 2 ** round(math.log2(max(rows, 1) / BATCHES_AN_EPOCH)) if rows > BATCHES_AN_EPOCH else 1
    batch = min(max(batch, SMALLEST_BATCH), LARGEST_BATCH)
    return {
        "batch_size": batch,
        "updates": _updates(rows, batch),
        "bins": _bins(rows, numbers),
        "width": WIDE if rows >= WIDE_FROM else NARROW,
        "dropout": DROPOUT if rows >= DROPOUT_FROM else DROPOUT_SMALL,
    }


def _sorted(heads: Sequence[HeadPart], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings by fields of the plan: what only the head or its loss knows goes to their options.

    Raises:
        RequestError: a setting that nobody knows.
    """
    named = settings.get("loss")
    losses = {named} & set(LOSSES) if named is not None else {loss for head in heads for loss in head.losses}
    known = {
        "loss_options": {option for loss in losses for option in _options(loss)},
        "head_options": {name for head in heads for name in _arguments(head.call)} - GIVEN_TO_HEADS,
    }
    fields: dict[str, Any] = {}
    for name, value in settings.items():
        place = next((place for place, names in known.items() if name in names), None)
        if name in (*Plan.model_fields, "epochs"):
            fields[name] = value
        elif place is None:
            raise RequestError(f"there is no setting {name!r}; {choices(Plan.model_fields, name)}")
        else:
            fields.setdefault(place, {})[name] = value
    return fields


GIVEN_TO_HEADS = {"features", "members", "loss", "options"}  # arguments that follow from the rest of the plan


def _arguments(call: Callable[..., Any]) -> set[str]:
    """Names of the arguments of a part."""
    return set(inspect.signature(call).parameters)


def _updates(rows: int, batch: int) -> int:
    """Optimizer steps: enough for a tiny table, then in proportion to the rows."""
    return int(min(max(EPOCHS * rows / batch, FEWEST_UPDATES), MOST_UPDATES))


def _bins(rows: int, numbers: int) -> int | None:
    """Pieces of each number column: together no more than rows, or the first layer could learn the rows by heart."""
    pieces = min(MOST_BINS, min(rows, MOST_PIECES) // max(numbers, 1))
    return pieces if pieces >= FEWEST_BINS else None
