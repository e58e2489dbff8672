import importlib
from typing import get_args

import pytest

from evenkeel import symptoms
from evenkeel.errors import RequestError
from evenkeel.finding import SYMPTOMS, Cause


@pytest.mark.parametrize("name", list(symptoms.PARTS))
def test_a_part_is_named_like_its_symptom_its_function_and_its_file(name):
    part = symptoms.PARTS[name]
    file = name.replace("-", "_")
    assert part.name == part.symptom == name
    assert part.call.__name__ == file and part.call.__module__ == f"evenkeel.symptoms.{file}"
    assert getattr(symptoms, file) is part.call
    assert importlib.import_module(f"evenkeel.symptoms.{file}").__doc__ and part.call.__doc__


@pytest.mark.parametrize("name", list(symptoms.PARTS))
def test_a_part_says_what_it_sees_and_names_known_causes_once(name):
    part = symptoms.PARTS[name]
    assert part.summary and part.source
    assert part.causes and set(part.causes) <= set(get_args(Cause)) and len(set(part.causes)) == len(part.causes)


def test_every_symptom_has_exactly_one_file():
    assert sorted(symptoms.PARTS) == sorted(SYMPTOMS)


def test_an_unknown_symptom_is_answered_with_a_close_name():
    with pytest.raises(RequestError, match="no symptom is called 'loss-spikes'; did you mean 'loss-spike'"):
        symptoms.PARTS["loss-spikes"]
