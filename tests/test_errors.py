"""What a user is told."""

import inspect

import pytest

from evenkeel import errors
from evenkeel.errors import EvenkeelError, choices

KINDS = [value for _, value in inspect.getmembers(errors, inspect.isclass) if issubclass(value, EvenkeelError)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_caught_by_the_base_and_says_what_it_is_for(kind):
    with pytest.raises(EvenkeelError, match="a message"):
        raise kind("a message")
    assert kind.__doc__


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [
        (errors.DataError, ValueError),
        (errors.RequestError, ValueError),
        (errors.ShapeError, ValueError),
        (errors.SavedRunError, OSError),
        (errors.TrainingError, RuntimeError),
    ],
)
def test_each_is_also_the_builtin_that_callers_expect(kind, builtin):
    assert issubclass(kind, builtin)


def test_every_kind_is_tested():
    assert len(KINDS) == 6


@pytest.mark.parametrize(
    ("known", "asked", "told"),
    [
        (["price", "rooms"], "prise", "did you mean 'price'? There are: 'price', 'rooms'"),
        (["price", "rooms"], "PRICE", "did you mean 'price'? There are: 'price', 'rooms'"),
        (["Price", "rooms"], "price", "did you mean 'Price'? There are: 'Price', 'rooms'"),
        (["price", "rooms"], "zzz", "there are: 'price', 'rooms'"),
        ([], "zzz", "there are: none"),
        ({"mse": 1}, "msse", "did you mean 'mse'? There are: 'mse'"),
        ([1, 2], "3", "there are: '1', '2'"),
    ],
)
def test_choices(known, asked, told):
    assert choices(known, asked) == told


def test_choices_lists_a_dozen_at_most():
    told = choices([f"column number {index}" for index in range(50)], "x")
    assert "number 11'" in told
    assert "number 12'" not in told
    assert told.endswith(", ...")


def test_of_names_that_differ_in_case_only_the_first_is_meant():
    assert choices(["Age", "AGE"], "age").startswith("did you mean 'Age'?")
