"""One next token for each row, drawn from its logits.

p = softmax(logits / temperature), cut to the k most probable tokens, or to the fewest whose probability reaches top_p
Source: Fan et al. 2018, arXiv:1805.04833 (top k); Holtzman et al. 2020, arXiv:1904.09751 (top p)
"""

from __future__ import annotations

import torch

from evenkeel.errors import RequestError
from evenkeel.shapes import Float, Int, Tensor


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
        RequestError: a negative temperature, top_k below 1, top_p outside (0, 1].

    Example:
        >>> next_token(torch.tensor([[0.0, 5.0, 1.0]]), temperature=0).tolist()
        [1]
    """
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise RequestError(
            "expected temperature of 0 or more, top_k of 1 or more, top_p above 0 and up to 1, "
            f"got temperature={temperature:g}, top_k={top_k}, top_p={top_p}"
        )
    if temperature == 0:
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
