"""Made-up histories, for what no quick training shows and for sentences with round numbers."""

from dataclasses import replace

from evenkeel.chain import Chain, Link, LocalTerm
from evenkeel.chain.record.recurrent import Direction, Unrolled
from evenkeel.symptoms.history import History, LossPoint, Observation, ParameterLook


def term(name="0.weight", **numbers):
    given = {
        "shape": (8, 8),
        "rms": 0.35,
        "ideal_rms": 0.35,
        "input_rms": 1.0,
        "input_norm": 1.0,
        "output_gradient_norm": 1.0,
    }
    return LocalTerm(**{"name": name, "gradient_norm": 1.0, **given, **numbers})


def link(name="0", **numbers):
    """A sound linear link."""
    given = {"kind": "linear", "gain": 1.0, "expected_gain": 1.0, "ideal_gain": 1.0, "scatter": 0.0, "forward_rms": 1.0}
    more = {
        "backward_rms": 1.0,
        "similarity": 0.5,
        "dead": None,
        "saturated": None,
        "contribution": 1.0,
        "output_gradient_norm": 1.0,
    }
    last = {"exact_cut": True, "width": 8, "terms": (term(f"{name}.weight"),)}
    return Link(**{"name": name, **given, **more, **last, **numbers})


def links(count, **numbers):
    """So many equal links, and a sound head."""
    return (*(link(f"layers.{number}", **numbers) for number in range(count)), link("head"))


def over_time(gain, steps=20, name="cell"):
    """A recurrent link with so much gain in each step."""
    direction = Direction(name="layer 0", step_gains=(gain,) * (steps - 1), memory=(1.0,))
    return link(name, kind="recurrent", expected_gain=None, ideal_gain=None, steps=Unrolled(directions=(direction,)))


def chain(*parts, **numbers):
    """Of these links, with the gradients that their gains give."""
    parts, total = joined(parts)
    given = {"loss": 1.0, "known_loss": None, "starts_at": "output", "output_gradient": 1.0, "output_gradient_rms": 1.0}
    more = {"input_gradient": total, "gradient_similarity": None, "example_gains": (), "batch": 32}
    return Chain(**{"links": parts, "without_gradient": (), "frozen": (), **given, **more, **numbers})


def joined(parts):
    """The links with the gradient that comes in at each, and what comes out at the lower end."""
    found, gradient = [], 1.0
    for part in reversed(parts):
        above, gradient = gradient, gradient * (1.0 if part.gain is None else part.gain)
        found.insert(0, replace(part, output_gradient_norm=above, contribution=gradient))
    return tuple(found), gradient


def parameter(name="0.weight", **numbers):
    given = {"size": 64, "weight_rms": 0.35, "gradient_rms": 1.0, "update_rms": 0.001, "moved": 1.0}
    return ParameterLook(**{"name": name, **given, **numbers})


def look(step=1, chain=None, **numbers):
    return Observation(**{"step": step, "loss": 1.0, "rate": 0.001, "gradient_norm": 1.0, "chain": chain, **numbers})


def history(*looks, losses=(), **numbers):
    """Of these looks; the losses are given or falling."""
    given = list(losses) or falling()
    points = tuple(LossPoint(step=step, loss=loss) for step, loss in enumerate(given, start=1))
    return History(**{"optimizer": "adaptive", "steps": len(given), "losses": points, "looks": looks, **numbers})


def falling(steps=40):
    """Losses of a run that learns."""
    return [0.9**step for step in range(steps)]


def flat(steps=40):
    """Losses of a run that learns nothing."""
    return [1.0] * steps
