import json

import pytest
from pydantic import ValidationError

from _small import TARGETS, small_run
from evenkeel.finding import Finding
from evenkeel.record import RunRecord

FOUND = Finding(symptom="no-learning", where="validation", severity="warning", sentence="Nothing was learned.")


@pytest.mark.parametrize("task", TARGETS)
def test_a_record_comes_back_from_its_json_as_it_was(task):
    record = small_run(task).record
    assert RunRecord.model_validate(json.loads(record.model_dump_json())) == record


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinite_figures_survive(value):
    """An infinite likelihood is a fact; it must not make the saved run unreadable."""
    record = small_run("regression").record
    changed = record.model_copy(
        update={
            "metrics": {"rmse": 1.0, "nll": value},
            "looks": (record.looks[0].model_copy(update={"validation_loss": value}),),
            "importance": (record.importance[0].model_copy(update={"drop": value}),),
            "findings": (FOUND.model_copy(update={"evidence": {"start_loss": value}}),),
        }
    )
    again = RunRecord.model_validate(json.loads(changed.model_dump_json()))
    assert again == changed and again.metrics["nll"] == again.looks[0].validation_loss == value


@pytest.mark.parametrize("change", [{"format": 2}, {"mood": "good"}, {"net": "module:thesis.Net"}])
def test_a_record_of_another_version_is_refused(change):
    values = json.loads(small_run("regression").record.model_dump_json())
    with pytest.raises(ValidationError):
        RunRecord.model_validate({**values, **change})


def test_a_record_never_changes():
    with pytest.raises(ValidationError):
        small_run("regression").record.ended = "never"
