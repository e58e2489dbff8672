"""What a decoder gives, by the kind of output that its loss takes: its parts, its target, its prediction.

value           the values themselves                 gaussian    (mean, log-variance), or both on a last axis of 2
binary-logits   logits of values 0..1                 logits      classes on the last axis
log-rate        logarithm of a positive mean          log-gamma   (log-mean, log-shape), or a last axis of 2
"""

from __future__ import annotations

import torch

from evenkeel.errors import DataError, RequestError
from evenkeel.heads.targets import between, finite
from evenkeel.shapes import Tensor

KINDS = ("value", "gaussian", "binary-logits", "logits", "log-rate", "log-gamma")
TWO_PARTS = ("gaussian", "log-gamma")
SCALED = ("value", "gaussian")  # kinds whose target is standardised


def parts_of(decoded: object, kind: str) -> tuple[Tensor, ...]:
    """The tensors that the loss takes, from what the decoder gave."""
    if isinstance(decoded, tuple | list) and len(decoded) == 2 and kind in TWO_PARTS:
        return decoded[0], decoded[1]
    if isinstance(decoded, Tensor) and kind not in TWO_PARTS:
        return (decoded,)
    if isinstance(decoded, Tensor) and decoded.dim() > 1 and decoded.shape[-1] == 2:
        return decoded.unbind(-1)
    came = tuple(decoded.shape) if isinstance(decoded, Tensor) else type(decoded).__name__
    needed = "two tensors, or one with a last axis of 2" if kind in TWO_PARTS else "one tensor"
    raise RequestError(f"a decoder for {kind} must give {needed}, got {came}; try another decoder, or another loss")


def prediction_of(parts: tuple[Tensor, ...], kind: str) -> Tensor:
    """The mean of what was decoded, or its most probable class."""
    if kind == "binary-logits":
        return parts[0].sigmoid()
    if kind == "logits":
        return parts[0].argmax(-1)
    return parts[0].exp() if kind.startswith("log-") else parts[0]


def probability_of(parts: tuple[Tensor, ...], kind: str) -> Tensor | None:
    """Probabilities, where the decoder gives logits."""
    if kind == "binary-logits":
        return parts[0].float().sigmoid()
    return parts[0].float().softmax(-1) if kind == "logits" else None


def check_decoded(target: Tensor, kind: str) -> None:
    """Refuse a target that the decoder's loss cannot take."""
    if kind == "logits":
        whole = not target.is_floating_point() and target.dtype != torch.bool
        if not whole:
            raise DataError(
                f"cross_entropy of a decoder needs whole numbers as target, got {target.dtype}; "
                "try loss='mse' for numbers, 'binary_cross_entropy' for values 0..1"
            )
        return
    finite(target)
    if kind == "binary-logits":
        between(target, 0.0, 1.0, "binary_cross_entropy of a decoder needs targets 0..1", "target / 255, or loss='mse'")
    elif kind == "log-rate":
        between(target, 0.0, torch.inf, "poisson_nll of a decoder needs targets of 0 or more", "loss='mse'")
    elif kind == "log-gamma":
        tiny = torch.finfo(torch.float32).tiny
        between(target, tiny, torch.inf, "gamma_nll of a decoder needs targets above 0", "loss='gaussian_nll'")
