"""Facts as text, one a line: equal texts mean equal weights, numbers and sentences, to the last bit.

Floats are written as `repr` gives them, tensors as type, shape, digest of their bytes, and the first few values, which
only help to see how far two of them lie apart.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

Items = dict[str, str]
"""What a case computes, by name, each as text."""
DIGITS = 16  # of a digest in hexadecimal
SHOWN = 6  # first values of an array


def digest(content: str | bytes) -> str:
    """The first digits of the SHA-256."""
    content = content.encode() if isinstance(content, str) else content
    return hashlib.sha256(content).hexdigest()[:DIGITS]


def lines(facts: Mapping[str, Any]) -> str:
    """A line for each fact, in the order given."""
    return "\n".join(f"{name}: {written(value)}" for name, value in facts.items())


def written(value: Any) -> str:
    """One value as one line of text."""
    if isinstance(value, Tensor | np.ndarray):
        return array(value)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "(" + ", ".join(written(each) for each in value) + ")"
    return repr(float(value)) if isinstance(value, float) else repr(value)


def array(values: Tensor | np.ndarray) -> str:
    """Type, shape, digest, and the first values."""
    found = values.detach().contiguous() if isinstance(values, Tensor) else np.ascontiguousarray(values)
    first = found.reshape(-1)[:SHOWN].tolist()
    if isinstance(found, np.ndarray):
        # Objects have no bytes of their own; words and numbers among them are told by how they are written.
        content = repr(found.tolist()).encode() if found.dtype == object else found.tobytes()
    else:
        content = found.reshape(-1).view(torch.uint8).numpy().tobytes()
    return f"{found.dtype} {tuple(found.shape)} {digest(content)} {first}"


def weights(state: Mapping[str, Tensor]) -> str:
    """A line for each tensor of a state, sorted by name: saved runs load by these names."""
    return lines({name: state[name] for name in sorted(state)})


def findings(found: Iterable[Any]) -> str:
    """Symptom, place, severity, cause, sentence and evidence of each finding, in the order they are told in."""
    names = ("symptom", "where", "severity", "cause", "sentence", "evidence")
    return "\n".join(lines({name: getattr(each, name) for name in names}) for each in found) or "none"


def attempt(call: Any, *arguments: Any, **options: Any) -> Any:
    """What a call gives, or the error that it raises: what is refused, and in which words, is a fact too."""
    try:
        return call(*arguments, **options)
    except Exception as problem:
        return f"{type(problem).__name__}: {problem}"
