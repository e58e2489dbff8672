"""A finding is checked when it is made and survives JSON."""

import pytest
from pydantic import ValidationError

from evenkeel import symptoms
from evenkeel.finding import SYMPTOMS, Finding

GIVEN = {"symptom": "overfitting", "where": "validation", "severity": "note", "sentence": "It rose."}


def test_round_trip():
    finding = Finding(**GIVEN, evidence={"loss": 0.1})
    assert Finding.model_validate_json(finding.model_dump_json()) == finding


@pytest.mark.parametrize("wrong", [{"symptom": "bad-luck"}, {"severity": "mild"}, {"colour": "red"}])
def test_unknown_words_are_refused(wrong):
    with pytest.raises(ValidationError):
        Finding(**{**GIVEN, **wrong})


def test_the_words_for_symptoms_are_those_of_the_parts():
    assert {part.symptom for part in symptoms.PARTS.values()} == SYMPTOMS
