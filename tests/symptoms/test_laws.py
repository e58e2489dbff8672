"""What every symptom obeys: it is a pure function, never raises, and its findings are well formed."""

import copy
import dataclasses
import math
from functools import cache
from itertools import product

import pytest
import torch
from torch import nn

from evenkeel import symptoms
from evenkeel.symptoms.history import History, LossPoint, NonFinite, Observation, ParameterLook, Start
from symptoms import _runs

NAMES = list(symptoms.PARTS)
NAN, INF = math.nan, math.inf
NUMBERS = (None, NAN, INF, -INF, 0.0, 1e-300, 1e300)


def losses(*values):
    return tuple(LossPoint(step=step, loss=value) for step, value in enumerate(values, start=1))


def filled(record, value):
    """The record with every number that may be missing, and every loss or size, set to one value."""
    changes = {}
    for field in dataclasses.fields(record):
        kind = str(field.type)
        if kind in ("float | None", "float"):
            changes[field.name] = value if value is not None or "None" in kind else NAN
        elif kind == "tuple[float, ...]":
            changes[field.name] = () if value is None else (value, value)
    return dataclasses.replace(record, **changes)


@cache
def small_chains():
    """Real chains of small networks: plain, deep, recurrent, normalised, with a residual path."""
    torch.manual_seed(0)
    batch = _runs.blobs()[0]
    normed = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Sigmoid(), nn.Linear(8, 3))
    return tuple(_runs.traced(model, _runs.cross_entropy, batch) for model in (_runs.mlp([2, 8, 3]), normed))


def emptied(chain, value):
    """The chain with every number replaced, those of its links and their weights too."""
    links = tuple(
        dataclasses.replace(filled(link, value), terms=tuple(filled(term, value) for term in link.terms))
        for link in chain.links
    )
    return dataclasses.replace(filled(chain, value), links=links)


def poor_look(step, chain, value):
    parameter = ParameterLook(name="0.weight", size=16, weight_rms=0.1, gradient_rms=0.0, update_rms=0.0, moved=0.0)
    look = Observation(
        step=step, loss=1.0, rate=0.1, gradient_norm=1.0, chain=chain, parameters=(filled(parameter, value),)
    )
    return filled(look, value)


def start(value):
    return filled(Start(loss=1.0), value)


def poor_histories():
    """Histories that hold next to nothing, or numbers that are none."""
    yield "empty", History(optimizer="descent", steps=0, losses=())
    yield "one step", History(optimizer="adaptive", steps=1, losses=losses(0.7))
    yield "one step, not finite", History(optimizer="adaptive", steps=1, losses=losses(NAN), non_finite_steps=1)
    ends = {"nan": NAN, "inf": INF, "minus inf": -INF, "huge": 1e300, "zero": 0.0, "negative": -3.0}
    for name, value in ends.items():
        yield f"all {name}", History(optimizer="momentum", steps=40, losses=losses(*[value] * 40), non_finite_steps=40)
        path = [2.0] * 20 + [value] * 20
        yield f"ends {name}", History(optimizer="adaptive", steps=40, losses=losses(*path), ended=True)
        yield f"holes {name}", History(optimizer="adaptive", steps=40, losses=losses(*[1.0, value] * 20), skipped=20)
    flat = losses(*[0.7] * 40)
    for value, (kind, chain) in product(NUMBERS, enumerate((None, *small_chains()))):
        sick = None if chain is None else emptied(chain, value)
        looks = tuple(poor_look(step, sick, value) for step in (1, 2, 32))
        history = History(optimizer="adaptive", steps=40, losses=flat, looks=looks, start=start(value), validation=flat)
        yield f"{value} chain {kind}", history
        yield f"{value} chain {kind} descent", dataclasses.replace(history, optimizer="descent")
    bare = dataclasses.replace(small_chains()[0], links=())
    yield (
        "chain without links",
        History(optimizer="adaptive", steps=40, losses=flat, looks=(poor_look(1, bare, None), poor_look(9, bare, 0.0))),
    )
    for direction in ("forward", "backward", "data", "weights"):
        found = NonFinite(step=3, where="", operation="", direction=direction, replayed=False)
        yield f"made {direction}", History(optimizer="descent", steps=3, losses=losses(1.0, 2.0, NAN), non_finite=found)
    yield "sizes of 0", History(optimizer="adaptive", steps=40, losses=flat, sizes=(0, 0), validation=losses(NAN, INF))


POOR = dict(poor_histories())


@cache
def healthy():
    """A small network of torch's own defaults that learns digits, with all that a check-up adds."""
    torch.manual_seed(0)
    model = _runs.mlp([64, 64, 10])
    batches = _runs.digits()
    history = _runs.run(model, _runs.cross_entropy, batches, _runs.adam(model), 100, start=known())
    with torch.no_grad():
        last = [(_runs.cross_entropy(model(k * batches[0][0]), batches[0][1])).item() for k in (0, 1)]
    return dataclasses.replace(
        history,
        sizes=(64,) * 8,
        zeroed_loss=last[0],
        seen_loss=last[1],
        validation=tuple(LossPoint(step=s, loss=history.losses[s - 1].loss * 1.1) for s in (20, 40, 60, 80, 100)),
        ended=True,
    )


def known():
    images = torch.cat([batch[0] for batch in _runs.digits()])
    return dataclasses.replace(
        _runs.of_classes(10, reachable=0.35),
        output_floor=0.0,
        free_floor=0.0,
        input_scales=tuple(images.square().mean(0).sqrt().tolist()),
        input_spreads=tuple(images.std(0).tolist()),
        single_loss=2.3,
        fitted_loss=0.01,
        batch_ratio=1.0,
    )


@cache
def sick():
    """The same network at rates far too high and far too low, and with weights of one constant."""
    found = []
    for rate, draw in ((5.0, None), (1e-9, None), (0.1, lambda weight: nn.init.constant_(weight, 0.05))):
        torch.manual_seed(0)
        model = _runs.mlp([64, 32, 10])
        model = model if draw is None else _runs.initialised(model, draw)
        optimizer = _runs.descent(model, rate)
        found.append(_runs.run(model, _runs.cross_entropy, _runs.digits(), optimizer, 60, start=known()))
    return tuple(found)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("case", POOR)
def test_never_raises_and_all_findings_are_well_formed(name, case):
    well_formed(name, POOR[case])


@pytest.mark.parametrize("name", NAMES)
def test_findings_of_real_runs_are_well_formed(name):
    for history in (*sick(), healthy()):
        well_formed(name, history)


def well_formed(name, history):
    part = symptoms.PARTS[name]
    for finding in part.call(history):
        assert finding.symptom == part.symptom and finding.where
        assert finding.cause is None or finding.cause in part.causes
        assert finding.sentence.endswith(".") and finding.sentence[0].upper() == finding.sentence[0]
        assert any(letter.isdigit() for letter in finding.sentence), finding.sentence
        assert "nan" not in finding.sentence.lower().replace("finan", ""), finding.sentence
        assert finding.evidence and not any(math.isnan(value) for value in finding.evidence.values())


@pytest.mark.parametrize("name", NAMES)
def test_is_pure(name):
    for history in (*sick(), healthy()):
        before = copy.deepcopy(history)
        call = symptoms.PARTS[name].call
        assert call(history) == call(history)
        assert history == before


@pytest.mark.parametrize("name", NAMES)
def test_a_healthy_run_gives_nothing_above_a_note(name):
    found = symptoms.PARTS[name].call(healthy())
    assert [finding for finding in found if finding.severity != "note"] == []


@pytest.mark.parametrize("name", NAMES)
def test_at_most_one_finding_a_symptom(name):
    assert all(len(symptoms.PARTS[name].call(history)) <= 1 for history in sick())


def test_sick_runs_give_findings_the_gravest_first():
    for history in sick():
        found = symptoms.findings(history)
        order = [symptoms.SEVERITIES.index(finding.severity) for finding in found]
        assert order[0] == 0 and order == sorted(order)
        assert "no-learning" in [finding.symptom for finding in found]
