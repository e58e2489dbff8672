"""One next token for each row, drawn from its logits.

p = softmax(logits / temperature), cut to the k most probable tokens, or to the fewest whose probability reaches top_p
Source: Fan et al. 2018, arXiv:1805.04833 (top k); Holtzman et al. 2020, arXiv:1904.09751 (top p)
"""

from __future__ import annotations

import math
from numbers import Integral, Real

import torch

from evenkeel.errors import RequestError
from evenkeel.shapes import Float, Int, Tensor

COLDEST = 1e-30  # below it logits divided by the temperature overflow, and the most probable token is all there is


def check_drawing(*, temperature: object, top_k: object = None, top_p: object = None) -> None:
    """Refuse options of drawing that make no sense.

    Raises:
        RequestError: a temperature below 0 or not finite, top_k below 1 or no whole number, top_p outside (0, 1].

    Example:
        >>> check_drawing(temperature=0.8, top_k=5)
    """
    if not (_is_number(temperature) and math.isfinite(temperature) and temperature >= 0):  # type: ignore[operator]
        raise RequestError(f"temperature must be a finite number of 0 or more, got {temperature!r}; try 0.8")
    if top_k is not None and not (isinstance(top_k, Integral) and int(top_k) >= 1):
        raise RequestError(f"top_k must be a whole number of 1 or more, or None for all tokens, got {top_k!r}")
    if top_p is not None and not (_is_number(top_p) and 0 < top_p <= 1):  # type: ignore[operator]
        raise RequestError(f"top_p must be above 0 and up to 1, or None for all tokens, got {top_p!r}")


def _is_number(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool)


def next_token(
    logits: Float[Tensor, "batch token"],
    *,
    temperature: float | int = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    generator: torch.Generator | None = None,
) -> Int[Tensor, "batch"]:
    """Draw a token for each row; temperature 0 takes the most probable one.

    Raises:
        RequestError: see `check_drawing`.

    Example:
        >>> next_token(torch.tensor([[0.0, 5.0, 1.0]]), temperature=0).tolist()
        [1]
    """
    check_drawing(temperature=temperature, top_k=top_k, top_p=top_p)
    if temperature < COLDEST:
        return logits.argmax(-1)
    scaled = logits.float() / temperature
    if top_k is not None and top_k < scaled.shape[-1]:
        least = scaled.topk(top_k, dim=-1).values[..., -1:]
        scaled = scaled.masked_fill(scaled < least, -torch.inf)
    probability = scaled.softmax(-1)
    if top_p is not None:
        probability = _fewest(probability, top_p)
    return torch.multinomial(probability, 1, generator=generator).squeeze(-1)


def _fewest(probability: Tensor, share: float) -> Tensor:
    """The most probable tokens that together reach the share, the others at 0; the first is always among them."""
    ordered, index = probability.sort(dim=-1, descending=True)
    before = ordered.cumsum(-1) - ordered
    kept = ordered.masked_fill(before >= share, 0.0)
    return torch.zeros_like(probability).scatter(-1, index, kept)
