"""A checkup as text, page and JSON."""

import json
import math

import torch
from torch import nn

from doctor._setups import blobs, net
from evenkeel.doctor import checkup
from evenkeel.doctor.result import LINK_FIELDS, Checkup
from evenkeel.finding import Finding
from evenkeel.symptoms.history import History

CE = nn.functional.cross_entropy


def made(*findings: Finding) -> Checkup:
    """Without a run behind it."""
    history = History(optimizer="adaptive", steps=0, losses=())
    return Checkup(findings=findings, history=history, steps=0, notes=(), parameters=7, model="Net")


def finding(severity: str, **evidence: float) -> Finding:
    """Of any symptom."""
    return Finding(
        symptom="no-learning", where="training", severity=severity, sentence="Nothing moved.", evidence=evidence
    )


def test_only_what_is_above_a_note_makes_it_unhealthy() -> None:
    assert made().healthy and made(finding("note")).healthy
    assert not made(finding("warning")).healthy and not made(finding("critical")).healthy


def test_json_has_the_schema_that_is_documented() -> None:
    found = json.loads(checkup(net(2, 8, 3, last=nn.Softmax(1)), CE, blobs(), steps=20).to_json())
    assert set(found) == {
        "format", "version", "healthy", "model", "parameters", "steps", "findings", "losses", "chain", "notes",
    }  # fmt: skip
    assert found["format"] == "evenkeel checkup" and found["version"] == 1
    assert set(found["findings"][0]) == {"symptom", "where", "severity", "cause", "sentence", "evidence"}
    assert set(found["losses"]) == {"first", "last", "constant", "reachable", "validation"}
    assert set(found["chain"]["links"][0]) == set(LINK_FIELDS)


def test_numbers_that_are_not_finite_are_words_in_json() -> None:
    text = made(finding("critical", loss=math.inf, norm=math.nan)).to_json()
    assert json.loads(text)["findings"][0]["evidence"] == {"loss": "inf", "norm": "nan"}


def test_the_text_names_model_verdict_and_findings() -> None:
    text = str(made(finding("critical")))
    assert text.startswith("Net, 7 parameters, 0 steps of a copy: not healthy.")
    assert "critical no-learning" in text and "Nothing moved." in text


def test_a_notebook_shows_the_chain_and_escapes_what_it_tells() -> None:
    torch.manual_seed(0)
    page = checkup(net(2, 8, 3), CE, blobs(), steps=10)._repr_html_()
    assert "<svg" in page
    odd = made(Finding(symptom="no-learning", where="x", severity="note", sentence="1 < 2 & 3."))
    assert "1 &lt; 2 &amp; 3." in odd._repr_html_()
