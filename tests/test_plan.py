"""The recipe: chosen from the size of the data, overruled field by field, and the same again after saving."""

import inspect
import math
import typing

import pytest
from pydantic import ValidationError

from evenkeel import heads, losses
from evenkeel.errors import RequestError
from evenkeel.plan import LARGEST_BATCH, SMALLEST_BATCH, Plan, ReadBy, is_read, loss_options, make_plan
from evenkeel.task import Task

TASKS = typing.get_args(Task)


@pytest.mark.parametrize("task", TASKS)
def test_a_plan_for_every_task(task):
    plan = make_plan(task, rows=1000)
    assert plan.task == task
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize("rows", [1, 8, 16, 17, 100, 512, 1000, 5_000, 20_000, 10_000_000])
def test_batches_are_powers_of_two_within_bounds(rows):
    plan = make_plan("regression", rows=rows)
    assert SMALLEST_BATCH <= plan.batch_size <= LARGEST_BATCH
    assert math.log2(plan.batch_size).is_integer()
    assert 2000 <= plan.updates <= 20_000


def test_more_rows_never_mean_less_training():
    sizes = [10, 100, 1000, 10_000, 100_000, 1_000_000]
    plans = [make_plan("regression", rows=rows) for rows in sizes]
    assert [plan.updates for plan in plans] == sorted(plan.updates for plan in plans)
    assert [plan.batch_size for plan in plans] == sorted(plan.batch_size for plan in plans)


@pytest.mark.parametrize(
    ("settings", "name", "value"),
    [
        ({"width": 64}, "width", 64),
        ({"width": "64"}, "width", 64),
        ({"norm": None}, "norm", None),
        ({"members": None}, "members", None),
        ({"bins": None}, "bins", None),
        ({"seed": 7}, "seed", 7),
        ({"learning_rate": 0.1}, "learning_rate", 0.1),
        ({"epochs": 3}, "updates", 3 * 16),
        ({"epochs": 3, "batch_size": 500}, "updates", 3),
        ({"epochs": 2, "updates": 9}, "updates", 2 * 16),
    ],
)
def test_settings_are_laid_over_the_default(settings, name, value):
    plan = make_plan("regression", rows=500, settings=settings)
    default = make_plan("regression", rows=500)
    assert getattr(plan, name) == value
    untouched = set(Plan.model_fields) - {name} - set(settings)
    assert all(getattr(plan, other) == getattr(default, other) for other in untouched)


def test_epochs_are_passes_over_the_rows():
    assert make_plan("regression", rows=16 * 500, settings={"epochs": 1, "batch_size": 256}).updates == round(
        8000 / 256
    )
    assert make_plan("regression", rows=10, settings={"epochs": 1}).updates == 1


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"wdith": 3}, r"there is no setting 'wdith'; did you mean 'width'\?"),
        ({"width": 0}, r"setting width = 0: input should be greater than or equal to 1"),
        ({"width": "wide"}, r"setting width = 'wide': input should be a valid integer"),
        ({"width": 1.5}, r"setting width = 1.5: input should be a valid integer"),
        ({"dropout": 1.0}, r"setting dropout = 1.0: input should be less than 1"),
        ({"norm": "none"}, r"setting norm = 'none': input should be 'auto', 'layer', 'batch', 'group'"),
        ({"optimizer": "adamm"}, r"setting optimizer = 'adamm': input should be 'adamw', 'adam' or 'sgd'"),
        ({"learning_rate": float("nan")}, r"setting learning_rate = nan: input should be a finite number"),
        ({"learning_rate": float("inf")}, r"setting learning_rate = inf: input should be a finite number"),
        ({"learning_rate": -1}, r"setting learning_rate = -1: input should be greater than 0"),
        ({"seed": -1}, r"setting seed = -1: input should be greater than or equal to 0"),
        ({"epochs": 0}, r"epochs must be a whole number of 1 or more, got 0"),
        ({"epochs": 1.5}, r"epochs must be a whole number of 1 or more, got 1.5"),
        ({"epochs": "x"}, r"epochs must be a whole number of 1 or more, got 'x'"),
        ({"time_limit": 0}, r"setting time_limit = 0: input should be greater than 0"),
    ],
)
def test_a_setting_without_sense_is_named(settings, told):
    with pytest.raises(RequestError, match=told):
        make_plan("regression", rows=500, settings=settings)


def test_a_plan_cannot_be_changed():
    plan = make_plan("regression", rows=500)
    with pytest.raises(ValidationError, match="frozen"):
        plan.width = 3  # type: ignore[misc]


def test_the_settings_given_are_not_changed():
    settings = {"epochs": 3, "width": 8}
    make_plan("regression", rows=500, settings=settings)
    assert settings == {"epochs": 3, "width": 8}


@pytest.mark.parametrize("name", [name for name, field in Plan.model_fields.items() if field.description])
def test_descriptions_speak_of_their_field(name):
    assert len(str(Plan.model_fields[name].description)) > 10


@pytest.mark.parametrize(
    ("task", "settings", "head_options", "loss_options"),
    [
        ("embedding", {"units": 16, "length": "free"}, {"units": 16, "length": "free"}, {}),
        ("embedding", {"loss": "triplet_from_labels", "margin": 0.5}, {}, {"margin": 0.5}),
        ("single-label", {"label_smoothing": 0.1}, {}, {"label_smoothing": 0.1}),
        ("single-label", {"loss": "focal", "gamma": 1.0}, {}, {}),
    ],
)
def test_settings_of_head_and_loss_have_their_own_names(task, settings, head_options, loss_options):
    plan = make_plan(task, rows=500, settings=settings)
    assert (plan.head_options, plan.loss_options) == (head_options, loss_options)
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


@pytest.mark.parametrize("name", ["features", "members_", "options", "reduction", "target"])
def test_what_follows_from_the_rest_is_no_setting(name):
    with pytest.raises(RequestError, match=f"there is no setting '{name}'"):
        make_plan("single-label", rows=500, settings={name: 1})


def test_an_option_of_another_loss_is_none_of_the_chosen_one():
    with pytest.raises(RequestError, match="there is no setting 'label_smoothing'"):
        make_plan("single-label", rows=500, settings={"loss": "focal", "label_smoothing": 0.1})
    plan = make_plan("embedding", rows=500, settings={"margin": 0.5})  # of one of the losses that fit
    with pytest.raises(RequestError, match="loss 'nt_xent_from_labels' has no option 'margin'; there are"):
        loss_options(plan, "nt_xent_from_labels")


def test_options_that_nobody_set_are_not_written_down():
    assert not {"head", "head_options", "loss_options"} & make_plan("regression", rows=500).model_dump().keys()
    assert "loss_options" in make_plan("single-label", rows=9, settings={"label_smoothing": 0.1}).model_dump()


@pytest.mark.parametrize(
    ("setting", "run", "read"),
    [
        ("width", {"net": "own"}, True),
        ("width", {"net": "given"}, False),
        ("bins", {"kind": "image"}, False),
        ("bins", {"kind": "table"}, True),
        ("gamma", {"loss": "focal"}, True),
        ("gamma", {"loss": None}, False),
        ("beta", {"task": "probabilistic-regression"}, True),
        ("beta", {"task": "regression"}, False),
        ("positive", {"task": "positive-regression"}, True),
        ("counts", {"task": "regression"}, False),
        ("learning_rate", {"net": "given"}, True),
    ],
)
def test_who_reads_a_setting(setting, run, read):
    usual = {"task": "single-label", "loss": None, "kind": "table", "net": "own"}
    assert is_read(setting, **{**usual, **run}) == read


def test_every_reader_that_a_setting_names_is_there():
    readers = [
        each for name in Plan.model_fields for each in Plan.model_fields[name].metadata if isinstance(each, ReadBy)
    ]
    assert len(readers) > 5
    for reader in readers:
        assert reader.loss is None or reader.loss in losses.PARTS
        assert reader.task is None or reader.task in TASKS
        heads_ = [head.call for head in heads.PARTS.values() if reader.task in (None, head.call.task)]
        assert reader.argument is None or any(reader.argument in inspect.signature(each).parameters for each in heads_)


def test_a_head_by_name_is_saved_and_must_answer_the_task():
    plan = make_plan("regression", rows=500, settings={"head": "value"})
    assert Plan.model_validate_json(plan.model_dump_json()).head == "value"
    with pytest.raises(RequestError, match="head 'gaussian' answers probabilistic-regression, not regression"):
        make_plan("regression", rows=500, settings={"head": "gaussian"})
    with pytest.raises(RequestError, match="no head is called 'gausian'; did you mean 'gaussian'"):
        make_plan("regression", rows=500, settings={"head": "gausian"})
    with pytest.raises(ValidationError, match="no head is called 'gausian'"):
        Plan(task="regression", head="gausian")
