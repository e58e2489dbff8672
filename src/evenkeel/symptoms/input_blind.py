"""Input-blind: the features of different inputs are alike, so that the differences are too small to learn from.

    similarity = mean cosine of two inputs' features;   1 - similarity: the share in which they differ

Norms do not show it: a deep He-ReLU net keeps its gradient and goes blind all the same. Along the shared direction the
loss is 1/(1 - similarity) times as curved as across it, and steps that suit the former are that much too short for the
latter. Source: Schoenholz 2017 (doi:10.48550/arXiv.1611.01232).
"""

from __future__ import annotations

from evenkeel.finding import Cause, Finding
from evenkeel.symptoms.base import SymptomPart
from evenkeel.symptoms.blindness import Blindness, blindness
from evenkeel.symptoms.harm import shape_severity
from evenkeel.symptoms.history import History
from evenkeel.symptoms.stretch import FAR, by_activation, by_initialisation


def input_blind(history: History) -> tuple[Finding, ...]:
    """Read off the first chain whether the features of different inputs are alike at its upper end."""
    look = next((look for look in history.looks if look.chain is not None), None)
    blind = None if look is None or look.chain is None else blindness(look.chain)
    if look is None or blind is None:
        return ()
    cause = _cause(blind)
    times = (1 - blind.seen) / max(1 - blind.left, 1e-7)
    sentence = (
        f"At `{blind.last.name}` the features of different inputs are alike (mean cosine {_cosine(blind.left)}; "
        f"{blind.seen:.2f} at `{blind.first.name}`): {_because(blind, cause)}."
    )
    evidence = {
        "similarity": blind.left,
        "first_similarity": blind.seen,
        "fall": times,
        "links": float(len(blind.between)),
        "step": float(look.step),
    }
    return (
        Finding(
            symptom="input-blind",
            where=blind.last.name,
            severity=shape_severity(history),
            sentence=sentence,
            evidence=evidence,
            cause=cause,
        ),
    )


def _cause(blind: Blindness) -> Cause:
    """Links near their ideal: too many of them. Otherwise what holds each one back."""
    if by_activation(blind.between, -1.0) >= FAR:
        return "activation"
    off = abs(by_initialisation(blind.between, 1.0))
    return "initialisation" if off >= FAR / 2 else "depth"


def _because(blind: Blindness, cause: Cause) -> str:
    if cause == "activation":
        return f"{blind.last.activation or 'the activation'} adds the same to all of them, layer after layer"
    if cause == "initialisation":
        return "the weights there start at a size that does not carry the differences through"
    return f"{len(blind.between)} links in a row leave no difference, though each keeps the size"


def _cosine(value: float) -> str:
    return f"{value:.3f}" if value < 0.9995 else "above 0.999"


INPUT_BLIND = SymptomPart(
    name="input-blind",
    summary="the features of different inputs are alike at the upper end of the chain",
    source="Schoenholz 2017",
    symptom="input-blind",
    reads="chain",
    call=input_blind,
    causes=("depth", "activation", "initialisation"),
)
