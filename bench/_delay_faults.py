"""The faults whose delay is measured: for each symptom that can begin in mid-run, onsets that bring it about."""

from __future__ import annotations

from dataclasses import dataclass

from bench._delay_onsets import (
    Onset,
    biases,
    body_frozen,
    data,
    decay,
    few_rows,
    first_layer_cut,
    gates_shut,
    kept,
    loss_of,
    pull,
    rate,
    same_example,
    shuffled,
    weights,
    with_logarithm,
    with_nan,
)
from bench._delay_setups import bound_of
from evenkeel.symptoms import PARTS as SYMPTOMS


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An onset, the symptom that it brings about, and those that are as true of it."""

    symptom: str
    name: str
    setup: str
    begin: Onset
    accepted: tuple[str, ...] = ()
    unknown: str = ""
    """Why the watch cannot tell the symptom itself in mid-run, where that is known."""


NO_START = "cannot: rests on what `ek.checkup` measures before the first step"
ONLY_FIRST = "cannot: the rule reads the first look alone"
NEVER: dict[str, str] = {name: part.no_onset for name, part in SYMPTOMS.items() if part.no_onset}
"""Symptoms that have no onset, and why."""
RISEN: tuple[str, ...] = ("loss-spike", "no-learning")
WILD: tuple[str, ...] = (*RISEN, "exploding-gradient", "oscillation", "non-finite")
CUT: tuple[str, ...] = (*RISEN, "vanishing-gradient", "dead-units", "input-blind", "collapsed-output")

FAULTS: tuple[Fault, ...] = (
    Fault(
        symptom="vanishing-gradient",
        name="weight decay 0.01 to 100, AdamW",
        setup="decayed",
        begin=decay(100.0),
        accepted=CUT,
    ),
    Fault(
        symptom="vanishing-gradient",
        name="weight decay 0 to 1, SGD",
        setup="descent",
        begin=decay(1.0),
        accepted=CUT,
    ),
    Fault(
        symptom="vanishing-gradient",
        name="forget gates shut, LSTM",
        setup="recurrent",
        begin=gates_shut,
        accepted=RISEN,
    ),
    Fault(
        symptom="exploding-gradient",
        name="all weights x 3",
        setup="regression",
        begin=weights(3.0),
        accepted=WILD,
    ),
    Fault(symptom="exploding-gradient", name="rate x 15, SGD", setup="descent", begin=rate(15), accepted=WILD),
    Fault(symptom="exploding-gradient", name="rate x 1000, Adam", setup="regression", begin=rate(1000), accepted=WILD),
    Fault(
        symptom="exploding-gradient",
        name="targets x 1000",
        setup="regression",
        begin=data(lambda x, y: (x, 1000 * y)),
        accepted=(*WILD, "unscaled-data"),
    ),
    Fault(
        symptom="input-blind",
        name="weights of the second layer x 0.001",
        setup="classifier",
        begin=weights(1e-3, 1),
        accepted=CUT,
        unknown=ONLY_FIRST,
    ),
    Fault(
        symptom="input-blind",
        name="biases of the second layer at 100",
        setup="classifier",
        begin=biases(100.0, 1),
        accepted=(*CUT, "exploding-gradient"),
        unknown=ONLY_FIRST,
    ),
    Fault(
        symptom="dead-units",
        name="biases of the first layer at -100",
        setup="regression",
        begin=biases(-100.0, 0),
        accepted=CUT,
    ),
    Fault(
        symptom="saturated-units",
        name="weights of the first layer x 50, tanh",
        setup="bounded",
        begin=weights(50.0, 0),
        accepted=(*RISEN, "vanishing-gradient"),
    ),
    Fault(symptom="non-finite", name="NaN in one batch", setup="regression", begin=data(with_nan, 1)),
    Fault(symptom="non-finite", name="logarithm of 0 in the loss", setup="regression", begin=loss_of(with_logarithm)),
    Fault(
        symptom="loss-spike",
        name="targets x 100 in one batch",
        setup="regression",
        begin=data(lambda x, y: (x, 100 * y), 1),
        accepted=("exploding-gradient", "unscaled-data"),
    ),
    Fault(symptom="no-learning", name="rate 0", setup="regression", begin=rate(0.0), accepted=("frozen-parameters",)),
    Fault(symptom="no-learning", name="targets shuffled", setup="regression", begin=data(shuffled), accepted=RISEN),
    Fault(
        symptom="oscillation",
        name="rate x 100, tanh, Adam",
        setup="bounded",
        begin=rate(100),
        accepted=(*WILD, "saturated-units"),
    ),
    Fault(symptom="oscillation", name="rate x 300, LSTM, Adam", setup="recurrent", begin=rate(300), accepted=WILD),
    Fault(
        symptom="output-mismatch",
        name="target from 0 ... 1 to -1 ... 1, under a sigmoid",
        setup="shares",
        begin=data(lambda x, y: (x, 2 * y - 1)),
        accepted=(*RISEN, "saturated-units", "collapsed-output"),
        unknown=NO_START,
    ),
    Fault(symptom="frozen-parameters", name="first layer cut off", setup="regression", begin=first_layer_cut),
    Fault(
        symptom="frozen-parameters",
        name="requires_grad off below the last layer",
        setup="regression",
        begin=body_frozen,
        accepted=("no-learning",),
    ),
    Fault(
        symptom="unscaled-data",
        name="inputs x 1000",
        setup="regression",
        begin=data(lambda x, y: (1000 * x, y)),
        accepted=WILD,
        unknown=NO_START,
    ),
    Fault(
        symptom="collapsed-output",
        name="contrastive loss without negatives",
        setup="embedding",
        begin=loss_of(pull),
        accepted=("no-learning",),
    ),
    Fault(
        symptom="collapsed-output",
        name="the same example over and over, contrastive",
        setup="embedding",
        begin=data(same_example),
        accepted=(*RISEN, "input-blind"),
    ),
    Fault(
        symptom="collapsed-output",
        name="KL weight of a VAE x 1000",
        setup="variational",
        begin=loss_of(bound_of(100.0)),
        accepted=(*RISEN, "exploding-gradient"),
    ),
    Fault(
        symptom="collapsed-output",
        name="rate x 100, ten classes, Adam",
        setup="classifier",
        begin=rate(100),
        accepted=(*WILD, "dead-units"),
    ),
    Fault(symptom="accumulating-gradient", name="zero_grad forgotten", setup="regression", begin=kept, accepted=WILD),
    Fault(
        symptom="overfitting",
        name="training rows cut to 64, validation given",
        setup="validated",
        begin=few_rows,
    ),
)
"""Grouped by symptom."""
